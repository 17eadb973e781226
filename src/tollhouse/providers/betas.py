"""Which opt-ins of Anthropic's (`anthropic-beta`) a cloud takes that serves Claude for itself.

Such a cloud refuses the whole call for one name that it does not know, and clients send theirs to whomever they are
pointed at (claude-code#21625, #34802, new-api#2975). So of a caller's names only those go that this cloud is known to
take, under the name that it has for them. An operator who knows better writes the header in the provider's `headers`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from tollhouse.core.upstream import Headers
from tollhouse.providers.kind import RefusedMembers

_BETA: Final = b"anthropic-beta"
TOOL_SEARCH: Final[Mapping[str, str]] = {"advanced-tool-use-2025-11-20": "tool-search-tool-2025-10-19"}
"""Anthropic's own name of a feature, and the clouds' (Anthropic's pages on the search for tools)."""

SCOPES: Final = RefusedMembers(inside={"cache_control": ("scope",)})
"""For whom a prompt is cached, which only Anthropic itself is told (copilot-api#145); a cloud keeps to the account."""


def only(names: tuple[str, ...], others: Mapping[str, str] = TOOL_SEARCH) -> Callable[[Headers], Headers]:
    """The headers of a caller, with no other opt-ins than these. others: names that stand for one of them."""
    known = {name: name for name in names} | dict(others)

    def kept(asked: Headers) -> Headers:
        if not any(name == _BETA for name, _ in asked):
            return asked
        said = [one.strip() for name, value in asked if name == _BETA for one in value.decode("latin-1").split(",")]
        passing = dict.fromkeys(known[one] for one in said if one in known)
        rest = [header for header in asked if header[0] != _BETA]
        return [*rest, (_BETA, ",".join(passing).encode())] if passing else rest

    return kept
