"""What a caller gives, read strictly: a wrong type, an unknown or a missing field is named, nothing is converted."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
from msgspec import NODEFAULT, Struct

from tollhouse.core.failure import BadRequest
from tollhouse.core.fields import Prose
from tollhouse.core.members import read_members
from tollhouse.core.spelling import nearest
from tollhouse.settings import explain

G = TypeVar("G", bound=Struct)

BODY_BYTES_MAX: Final = 1024 * 1024
VALUES_MAX: Final = 2_000
"""Commas of a body, counted before anything of it is decoded: lists here hold some 200 values."""
RAW_VALUES_MAX: Final = 20_000
"""The same where a member is a whole request of the LLM API."""
TEXT_MAX: Final = 2_000
"""Characters of any text that is given; most fields take fewer."""


def from_body(data: bytes, kind: type[G]) -> G:
    """Read a JSON object; an absent body is an empty object. Raises BadRequest."""
    if not data:
        return _build({}, kind)
    as_it_is = {field.encode_name for field in msgspec.structs.fields(kind) if field.type is msgspec.Raw}
    if data.count(b",") > (RAW_VALUES_MAX if as_it_is else VALUES_MAX):
        raise BadRequest("the request body holds too many values: no call here takes so many")
    members = read_members(data)
    return _build({name: raw if name in as_it_is else _value(name, raw) for name, raw in members.items()}, kind)


def from_query(query: bytes, kind: type[G]) -> G:
    """Read a query string, in which all values are text. Raises BadRequest."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise BadRequest("the query string cannot be read") from None
    return from_texts(pairs, kind)


def from_texts(pairs: list[tuple[str, str]], kind: type[G]) -> G:
    """Read named texts, such as a query's; a list field takes each of its name. Raises BadRequest."""
    hints = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    values: dict[str, object] = {}
    for name, value in pairs:
        if _is_list(hints.get(name)):
            values.setdefault(name, [])
            listed = values[name]
            assert isinstance(listed, list)
            listed.append(value)
        elif name in values:
            raise BadRequest(f"{name} is given twice", param=name)
        else:
            values[name] = value
    return _build(values, kind, strict=False)


def _value(name: str, raw: msgspec.Raw) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        shown = name[:60]
        raise BadRequest(f"{shown!r} holds a value that cannot be read: {error}", param=shown) from None


def _build(values: Mapping[str, object], kind: type[G], *, strict: bool = True) -> G:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in values:
        if name not in fields:
            shown = name[:60]
            known = f"the nearest known one is {nearest(shown, fields)} (known: {', '.join(fields)})"
            hint = f"; {known}" if fields else "; this call takes none"
            raise BadRequest(f"unknown field {shown!r}{hint}", param=shown)
    built: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in values or values[name] is None:  # null counts as absent
            if field.default is NODEFAULT and field.default_factory is NODEFAULT:
                raise BadRequest(f"{name} is missing", param=name)
            continue
        if field.type is msgspec.Raw:
            built[field.name] = values[name]
            continue
        try:
            value = msgspec.convert(values[name], field.type, strict=strict)
        except msgspec.ValidationError as error:
            raise BadRequest(f"{name}: {explain(error, field.type)}", param=name) from None
        _refuse_odd_texts(name, value, prose_max(field.type))
        built[field.name] = value
    return kind(**built)


def prose_max(kind: Any) -> int | None:
    """How long text in lines of its own may be; None: the field takes none."""
    return next((note.length_max for note in get_args(kind) if isinstance(note, Prose)), None)


def _refuse_odd_texts(name: str, value: object, in_lines_max: int | None) -> None:
    """Control characters and NUL have no place in a name or a reason, and some databases refuse them; nor does a text
    that no field takes."""
    most = in_lines_max or TEXT_MAX
    texts = value if isinstance(value, tuple) else (*value, *value.values()) if isinstance(value, dict) else (value,)
    for text in texts:
        if not isinstance(text, str):
            continue
        if len(text) > most:
            raise BadRequest(f"{name} has more than {most} characters", param=name)
        if in_lines_max is None and not text.isprintable():
            raise BadRequest(f"{name} holds a character that does not print", param=name)


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is tuple or any(get_origin(part) is tuple for part in get_args(kind))
