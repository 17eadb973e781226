"""Members of a request that are not among the harmless ones of its operation: what each can do to the cost of the call.

Nothing here is trusted to lower a cost. What names other models is dropped; what makes a provider bill otherwise needs
a price of its own, or the call is refused; what reads more or writes more is held for.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.hosted_tools import HostedTool
from tollhouse.core.members import Members
from tollhouse.core.operation import Operation
from tollhouse.core.raw_members import UNREAD, decoded, integer
from tollhouse.core.usage import TOKENS_MAX
from tollhouse.formats.openai.hosted_tools import SEARCH_MEMBERS, asked_by_member
from tollhouse.formats.openai.parameters import (
    CAPS,
    COUNTS,
    HARMLESS,
    INNER,
    LATER,
    OTHER_CAPS,
    PROVIDER_PREFERENCES,
    READS_MORE,
    TIERS,
    folded,
    names_models,
)

EVERY_CAP: Final = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_DECIDING: Final = frozenset(
    (
        *("model", "messages", "input", "prompt", "tools", "n", "best_of", "stream", "stream_options", "style"),
        *("background", "previous_response_id", "conversation", "web_search_options", "search_parameters"),
        *("enable_search", "plugins", "prediction", "thinking", "thinking_budget", "enable_thinking", "reasoning"),
        *("service_tier", "suffix", "echo", "modalities", *EVERY_CAP),
    )
)
"""Members that decide what a call may cost, as the originals spell them."""
_STEERING: Final = frozenset(INNER)


class Unlisted(Struct):
    """`cap`: the largest output cap by a name that no provider is trusted to read, 0 for none. `answers`: as many are
    asked for at most. `tier`: what the provider is asked to bill by, and the member that says so (`tier_param`).
    `hosted`: what the provider is to run beside `tools`, and bills.
    `reads_more`: the input is not all here. `writes_more`: only the longest answer bounds the output. `dropped`: the
    members that do not go on, in small letters."""

    cap: int = 0
    answers: int = 1
    tier: str = ""
    tier_param: str = ""
    hosted: tuple[HostedTool, ...] = ()
    reads_more: bool = False
    writes_more: bool = False
    dropped: tuple[str, ...] = ()


NONE: Final = Unlisted()


def unlisted(operation: Operation, members: Members) -> Unlisted:
    """Read what is not harmless, and drop from `members` what names other models.

    Raises BadRequest for a member that decides the cost and is not spelled as it is, and for a cap or a number of
    answers that is none; UnsupportedParameter for an answer that is to be fetched later, and for two tiers at once.
    """
    found = NONE
    strange = members.keys() - HARMLESS[operation]
    if strange:
        found = Unlisted()
        for name in [name for name in members if name in strange]:
            if not _absent(members[name]):
                _read(found, operation, members, name)
    for name in () if _STEERING.isdisjoint(members) else INNER.keys() & members.keys():
        inside = decoded(members[name], dict[str, Raw])
        if inside is not None and any(not _absent(inside[one]) for one in inside.keys() - INNER[name]):
            found = msgspec.structs.replace(found, writes_more=True)
    return found


def _read(found: Unlisted, operation: Operation, members: Members, name: str) -> None:
    raw, plain = members[name], folded(name)
    if name not in _DECIDING and name.casefold() in _DECIDING:
        shown = name[:40]
        raise BadRequest(f"'{shown}' is read as '{name.casefold()}' by some providers: write it so.", param=shown)
    if names_models(plain):
        _drop(found, members, name)
    elif plain in LATER:
        # Its usage is known only to who asks for it later, and there is no later here.
        raise UnsupportedParameter(
            f"'{name}' is not offered here: the answer could not be fetched. Stream it, or wait for it.", param=name
        )
    elif plain == "provider":
        _keep_preferences(found, members, name)
    elif plain in TIERS:
        _read_tier(found, name, plain, raw)
    elif name in EVERY_CAP or (plain in OTHER_CAPS and CAPS[operation]):
        found.cap = max(found.cap, integer(raw, name))
    elif plain in COUNTS and CAPS[operation]:
        found.answers = max(found.answers, integer(raw, name))
    else:
        found.reads_more = True
        found.writes_more = found.writes_more or name not in READS_MORE
        if plain in SEARCH_MEMBERS and CAPS[operation]:
            found.hosted = (*found.hosted, *asked_by_member(name, plain, raw))
        if _structured(raw):
            _look_inside(found, members, name)


def _look_inside(found: Unlisted, members: Members, name: str) -> None:
    """An envelope (`extra_body`, `provider_options`, `generation_config`, ...) may hold what decides, too."""
    try:
        value = msgspec.json.decode(members[name])
    except UNREAD:
        return  # it is held for the most already
    for inner, item in _named(value):
        plain = folded(inner)
        if item is None or item is False:
            continue
        if names_models(plain):
            _drop(found, members, name)
            return
        if plain in TIERS and not _plain_tier(plain, item):
            raise _two_places(f"{name[:40]}.{inner[:40]}")
        if (plain in SEARCH_MEMBERS or plain == "tools") and item not in ([], {}):
            raise _two_places(f"{name[:40]}.{inner[:40]}")
        if plain in COUNTS:
            if type(item) is not int or not 1 <= item <= TOKENS_MAX:
                raise _two_places(f"{name[:40]}.{inner[:40]}")
            found.answers = max(found.answers, item)


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object in a decoded value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield from one.items()
            waiting += [item for item in one.values() if isinstance(item, dict | list)]
        elif isinstance(one, list):
            waiting += [item for item in one if isinstance(item, dict | list)]


def _read_tier(found: Unlisted, name: str, plain: str, raw: Raw) -> None:
    value = decoded(raw, object)
    if _plain_tier(plain, value):
        return
    if name != "service_tier" and plain == "servicetier":
        raise BadRequest(f"'{name[:40]}' is read as 'service_tier' by some providers: write it so.", param=name[:40])
    if found.tier:
        raise UnsupportedParameter(
            f"'{name}' beside '{found.tier_param}': a call has one price, so name one of them.", param=name
        )
    found.tier = value.casefold() if isinstance(value, str) and value else plain
    found.tier_param = name


def _plain_tier(plain: str, value: object) -> bool:
    """Whether a member changes nothing of the price: absent, off, or what the provider takes by itself."""
    if isinstance(value, str):
        return value.casefold() in TIERS[plain]
    return value is None or value is False or (plain == "priority" and value == 0)


def _keep_preferences(found: Unlisted, members: Members, name: str) -> None:
    given = decoded(members[name], dict[str, Raw]) or {}
    kept = {preference: raw for preference, raw in given.items() if preference in PROVIDER_PREFERENCES}
    if len(kept) < max(1, len(given)):
        _drop(found, members, name)
        if kept:
            members[name] = Raw(msgspec.json.encode(kept))


def _drop(found: Unlisted, members: Members, name: str) -> None:
    del members[name]
    found.dropped = tuple(dict.fromkeys((*found.dropped, name.casefold())))


def _two_places(path: str) -> UnsupportedParameter:
    return UnsupportedParameter(
        f"'{path}' decides what the call costs: name it as the original API does, at the top of the body.", param=path
    )


def _absent(raw: Raw) -> bool:
    """Null and false ask for nothing."""
    return bytes(memoryview(raw)[:5]) in (b"null", b"false")


def _structured(raw: Raw) -> bool:
    return bytes(memoryview(raw)[:1]) in (b"{", b"[")
