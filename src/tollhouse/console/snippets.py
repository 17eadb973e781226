"""What people paste to point a client at this platform: one file a client in `clients/`, found by walking.

A file has `label`, its `group` and `order` in it, `checked` (the day on which it was last tried or read in the client's
own documentation), the `operation` by which the client calls (default: chat), a `note`, and its parts. In a part's text
`@BASE@`, `@KEY@` and `@MODEL@` stand for the address without a slash, the secret and a model; they are written as the
part's kind needs it. A client of an operation that the platform does not serve is not shown.
"""

import json
import tomllib
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, get_args
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tollhouse.core.operation import Operation

PartKind = Literal["curl", "sh", "python", "js", "json", "toml", "yaml", "field", "link"]
Group = Literal["code", "agents", "apps"]
UNGROUPED_MAX: Final = 10
"""Clients that stand in one list."""


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`kind` field: a value that is typed into a form of the client; link: an address that the client itself opens.
    `data`: JSON that stands in a link for `@DATA@`, in base64."""

    kind: PartKind
    text: str
    label: str = ""
    data: str = ""


class Client(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    label: str
    group: Group
    order: int
    checked: str
    operation: str = "chat"
    note: str = ""
    parts: tuple[Part, ...]


@cache
def clients() -> tuple[Client, ...]:
    """All of them, in their order."""
    folder = files("tollhouse.console").joinpath("clients")
    read: list[dict[str, Any]] = [tomllib.loads(file.read_text("utf-8")) for file in folder.iterdir()]
    return tuple(sorted(msgspec.convert(read, tuple[Client, ...]), key=lambda one: one.order))


def served() -> dict[Operation, list[Client]]:
    """Those that can be used here, by the operation that they call by."""
    return {name: [one for one in clients() if one.operation == name] for name in get_args(Operation)}


def grouped(found: Iterable[Client]) -> list[tuple[Group | None, list[Client]]]:
    """In their order; by their groups where there are many of them."""
    ranked = sorted(found, key=lambda one: one.order)
    if len(ranked) <= UNGROUPED_MAX:
        return [(None, ranked)]
    groups = ((name, [one for one in ranked if one.group == name]) for name in get_args(Group))
    return [(name, members) for name, members in groups if members]


def filled(client: Client, base_url: str, key: str, model: str) -> Client:
    """With the address, a secret and a model in the places that wait for them."""
    values = {"@BASE@": base_url, "@KEY@": key, "@MODEL@": model}
    parts = tuple(msgspec.structs.replace(part, text=_filled(part, values)) for part in client.parts)
    return msgspec.structs.replace(client, parts=parts)


def _filled(part: Part, values: Mapping[str, str]) -> str:
    text = _with_values(part.text.strip(), values, _WRITTEN[part.kind])
    if part.data:
        data = _with_values(part.data, values, _in_quotes).encode("utf-8", "surrogatepass")
        text = text.replace("@DATA@", _in_address(b64encode(data).decode()))
    return text


def _with_values(text: str, values: Mapping[str, str], write: Callable[[str], str]) -> str:
    for place, value in values.items():
        text = text.replace(place, write(value))
    return text


def _in_quotes(value: str) -> str:
    """Within the double quotes of JSON, TOML, Python or JavaScript."""
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _in_apostrophes(value: str) -> str:
    """Within the single quotes of a POSIX shell."""
    return value.replace("'", "'\\''")


def _in_address(value: str) -> str:
    """Within the query of an address."""
    return quote(value, safe="", errors="replace")


_WRITTEN: Final[Mapping[PartKind, Callable[[str], str]]] = {
    "curl": lambda value: _in_apostrophes(_in_quotes(value)),
    "sh": _in_apostrophes,
    "python": _in_quotes,
    "js": _in_quotes,
    "json": _in_quotes,
    "toml": _in_quotes,
    "yaml": _in_quotes,
    "field": lambda value: value,
    "link": _in_address,
}
