"""The page docs/providers.md, drawn from the kinds, so that it names what there is."""

from collections.abc import Mapping
from typing import Final, get_args

from tollhouse.core.operation import Operation
from tollhouse.providers.kind import Kind

_HEAD: Final = """\
# Kinds of providers

What `kind = "..."` in `[providers.x]` of platform.toml may say. Written by `scripts/write_docs.py` from
`src/tollhouse/providers/`; [add a provider](how-to/add-a-provider.md) says how another comes in.

A provider without `base_url` stands at the address of its kind. A base URL may be written as the vendor's documentation
has it, with or without its version, or as a whole endpoint; `#` at its end means exactly this address
(`tollhouse providers check` shows what is called). "Formats" is in what text can be asked for, the preferred first;
`speaks` of the provider leaves some out, or changes their order. "Besides" are operations that are no text.

| kind | name | address | formats | besides |
|---|---|---|---|---|
"""
_TEXT: Final = ("chat", "completions", "responses")
_OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)


def render(kinds: Mapping[str, Kind]) -> str:
    return _HEAD + "".join(_row(kind) for kind in kinds.values() if not kind.in_process)


def _row(kind: Kind) -> str:
    address = f"`{kind.base_url}`" if kind.base_url else "must be written"
    formats = ", ".join(f"`{one}`" for one in kind.speaks) or "none"
    besides = [one for one in _OPERATIONS if one not in _TEXT and kind.target(one, "m", False, kind.speaks) is not None]
    key = "" if kind.needs_api_key else "; works without a key"
    return f"| `{kind.name}` | {kind.title} | {address}{key} | {formats} | {', '.join(besides)} |\n"
