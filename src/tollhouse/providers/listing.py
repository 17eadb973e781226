"""The page docs/providers.md, drawn from the kinds, so that it names what there is."""

from collections.abc import Mapping
from typing import Final, get_args

from tollhouse.core.catalogue import TextFormat
from tollhouse.core.operation import Operation
from tollhouse.providers.kind import Kind, RefusedMembers

_HEAD: Final = """\
# Kinds of providers

What `kind = "..."` in `[providers.x]` of platform.toml may say. Written by `scripts/write_docs.py` from
`src/tollhouse/providers/`; [add a provider](how-to/add-a-provider.md) says how another comes in.

A provider without `base_url` stands at the address of its kind. A base URL may be written as the vendor's documentation
has it, with or without its version, or as a whole endpoint; `#` at its end means exactly this address
(`tollhouse providers check` shows what is called). "Formats" is in what text can be asked for, the preferred first;
`speaks` of the provider leaves some out, or changes their order; without it, models of OpenAI that think answer callers
of other formats as responses. "Besides" are operations that are no text.

| kind | name | address | formats | besides |
|---|---|---|---|---|
"""
_REFUSALS: Final = """
## Members that are not passed on

For these members a vendor refuses a chat, though no answer depends on them: they are left out, and named in
`x-tollhouse-dropped`. `a` → `b`: it reads them by another name. Members on which an answer depends go on, and what is
wrong with them is the vendor's to say.

| kind | of the body | of messages | of their parts, and of tools |
|---|---|---|---|
"""
_TEXT: Final = ("chat", "completions", "responses")
_CHAT: Final[tuple[TextFormat, ...]] = ("openai_chat",)
_OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)


def render(kinds: Mapping[str, Kind]) -> str:
    refused = ((kind.name, found) for kind in kinds.values() if (found := _refused(kind)) is not None)
    rows = "".join(_row(kind) for kind in kinds.values() if not kind.in_process)
    return _HEAD + rows + _REFUSALS + "".join(_refusals(name, found) for name, found in refused)


def _refused(kind: Kind) -> RefusedMembers | None:
    target = kind.target("chat", "m", False, _CHAT)
    return None if target is None else target.refused


def _refusals(name: str, refused: RefusedMembers) -> str:
    places = (_names(one) for one in (refused.body, refused.messages, refused.parts))
    return f"| `{name}` | {' | '.join(places)} |\n"


def _names(names: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}` → `{other}`" if other else f"`{name}`" for name, other in sorted(names.items()))


def _row(kind: Kind) -> str:
    address = f"`{kind.base_url}`" if kind.base_url else "must be written"
    formats = ", ".join(f"`{one}`" for one in kind.speaks) or "none"
    besides = [one for one in _OPERATIONS if one not in _TEXT and kind.target(one, "m", False, kind.speaks) is not None]
    key = "" if kind.needs_api_key else "; works without a key"
    return f"| `{kind.name}` | {kind.title} | {address}{key} | {formats} | {', '.join(besides)} |\n"
