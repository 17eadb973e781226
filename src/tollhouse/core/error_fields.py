"""The members of one error object: its reasons, its words, the field it blames, and what of it stays."""

from collections.abc import Iterator
from typing import Final

from tollhouse.core.error_words import ORIGINAL

MEMBER_CHARACTERS_MAX: Final = 16_384  # of a member that stays
_WORD_MAX: Final = 64
_LIST_MAX: Final = 8

_MESSAGES: Final = (
    *(
        "message",
        "detail",
        "msg",
        "error_msg",
        "error_message",
        "errormessage",
        "status_msg",
        "err_msg",
        "reason_phrase",
    ),
    *("error_description", "description", "originalmessage", "raw", "text", "title"),
)
"""Names under which a reason stands, best first; compared in lower case."""

INNER: Final = frozenset(
    {"error", "errors", "message", "messages", "detail", "details", "msg", "innererror", "inner_error", "cause", "data"}
    | {"metadata", "raw", "response", "responsemetadata", "base_resp", "fault", "exception", "non_field_errors", "body"}
    | {"error_message", "originalmessage", "fieldviolations", "violations", "invalid-params", "invalid_params"}
    | {
        "validation_errors",
        "failures",
        "status",
        "result",
        "errormessage",
        "error_msg",
        "description",
        "upstream_error",
    }
)
"""Names under which more of an error stands: an object, a list, or a text that may hold JSON."""

_WORDS: Final = frozenset(
    {"code", "type", "status", "reason", "__type", "error_code", "errorcode", "error_type", "statuscode", "err_code"}
    | {"status_code"}
)
_PLACES: Final = ("param", "parameter", "field", "loc", "pointer", "path")
_STAY: Final = ("failed_generation", "innererror", "n_prompt_tokens", "n_ctx")


def reasons(location: dict[str, object], lead: str) -> Iterator[tuple[str, str | None]]:
    """Each reason that an object gives, with the field it blames. `lead`: what stood before the object in a text."""
    by_field = location.get("by_field")
    if isinstance(by_field, dict):
        yield from _by_field(by_field)
        return
    named = {name.lower(): value for name, value in location.items() if isinstance(name, str)}
    for name in _MESSAGES:
        said = named.get(name)
        if isinstance(said, str) and said.strip():
            blamed = _location(location)
            reason = f"{blamed}: {said}" if blamed and "loc" in named and blamed not in said else said
            yield (f"{lead}: {reason}" if lead else reason), blamed
        elif isinstance(said, list):
            reason, blamed = _validation(said)
            if reason:
                yield reason, blamed
    said = named.get("error")
    if isinstance(said, str) and said.strip():
        yield said, None
    elif isinstance(said, list) and (reason := _validation(said)[0]):
        yield reason, _validation(said)[1]
    for name in ("errors", "fieldviolations", "violations", "invalid-params", "invalid_params", "reason"):
        said = named.get(name)
        if isinstance(said, list):
            reason, blamed = _validation(said)
            if reason:
                yield reason, blamed
        elif name == "reason" and isinstance(said, str) and " " in said:
            yield said, None


def param(location: dict[str, object]) -> str | None:
    """The field that an object blames."""
    blamed = location.get("param")
    if isinstance(blamed, str) and blamed:
        return blamed
    if isinstance(blamed, list) and blamed:
        return _joined(blamed)
    return None


def words(location: dict[str, object]) -> Iterator[str]:
    for name, word in location.items():
        if (
            isinstance(name, str)
            and name.lower() in _WORDS
            and isinstance(word, str | int)
            and not isinstance(word, bool)
        ):
            yield str(word).rpartition("#")[2][:_WORD_MAX].lower()


def original(said: list[str]) -> str | None:
    """The code that stays, where one of the words is one."""
    return next((word for word in said if word in ORIGINAL), None)


def members(location: dict[str, object]) -> dict[str, object]:
    """What else of an error a client may need: what a model wrote that could not be used, what a filter found."""
    kept: dict[str, object] = {}
    for name in _STAY:
        value = location.get(name)
        if name == "innererror":
            value = _filter_result(value)
        if isinstance(value, str) and len(value) > MEMBER_CHARACTERS_MAX:
            value = value[:MEMBER_CHARACTERS_MAX]
        if (isinstance(value, str | int) and not isinstance(value, bool)) or (isinstance(value, dict) and value):
            kept[name] = value
    return kept


def is_by_field(name: str, value: object) -> bool:
    """`{"errors": {"seed": ["not allowed"]}}`, as ASP.NET and Rails write it."""
    return name in ("errors", "detail", "details", "validation_errors", "message") and (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(one, list) and one and all(isinstance(each, str) for each in one) for one in value.values())
    )


def _by_field(found: dict[str, object]) -> Iterator[tuple[str, str | None]]:
    said = [(name, one) for name, one in list(found.items())[:_LIST_MAX] if isinstance(one, list)]
    if said:
        yield "; ".join(f"{name}: {' '.join(map(str, one))}" for name, one in said), said[0][0]


def _validation(faults: list[object]) -> tuple[str, str | None]:
    """A list of what was wrong where, as one sentence, with the first place."""
    found = [one for one in faults[:_LIST_MAX] if isinstance(one, dict) and _location(one) and _said(one)]
    if not found:
        return "", None
    locations = [_location(one) or "" for one in found]
    return "; ".join(f"{location}: {_said(one)}" for location, one in zip(locations, found, strict=True)), locations[0]


def _said(fault: dict[str, object]) -> str:
    for name in ("msg", "message", "description", "detail", "reason", "error"):
        said = fault.get(name)
        if isinstance(said, str) and said:
            return said
    return ""


def _location(fault: dict[str, object]) -> str | None:
    for name in _PLACES:
        location = fault.get(name)
        if isinstance(location, list) and location and name in ("loc", "path"):
            return _joined(location) or None
        if isinstance(location, str) and location and name != "path":
            return location.removeprefix("#").removeprefix("/").replace("/", ".")
    named = fault.get("name")  # RFC 9457's `invalid-params`; elsewhere it is the name of the error
    return named if isinstance(named, str) and "reason" in fault else None


def _joined(steps: list[object]) -> str:
    return ".".join(str(step) for step in steps[: 2 * _LIST_MAX] if step != "body" and isinstance(step, str | int))


def _filter_result(value: object) -> dict[str, object]:
    """Azure's `innererror`: what its content filter found, by category; nothing else of it."""
    if not isinstance(value, dict):
        return {}
    code, result = value.get("code"), value.get("content_filter_result")
    if not isinstance(result, dict):
        return {}
    found: dict[str, object] = {}
    for category, one in list(result.items())[:16]:
        if isinstance(one, dict):
            found[str(category)[:_WORD_MAX]] = {
                name: one[name]
                for name in ("filtered", "detected", "severity")
                if isinstance(one.get(name), bool | str) and len(str(one[name])) <= _WORD_MAX
            }
    kept: dict[str, object] = {"code": code[:_WORD_MAX]} if isinstance(code, str) else {}
    return {**kept, "content_filter_result": found}
