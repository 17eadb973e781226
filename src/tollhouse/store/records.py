"""From a row to a record of the core, checked on the way: what a database holds is data like any other; and back.

A column is a field of its name. A list or a mapping stands in its column as JSON text.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

from msgspec import Struct, convert, json, structs

Record = TypeVar("Record", bound=Struct)

_IN_JSON = (tuple, dict, Mapping)


def record(row: Mapping[Any, Any], kind: type[Record], **more: object) -> Record:
    """`more` adds members that stand in other tables."""
    members = {str(name): value for name, value in row.items()}  # SQLAlchemy's names are a subclass of str
    members.update((name, json.decode(members[name])) for name in _fields_in_json(kind) & members.keys())
    return convert(members | more, kind)


def row_of(one: Struct) -> dict[str, Any]:
    values = structs.asdict(one)
    return values | {name: json.encode(values[name]).decode() for name in _fields_in_json(type(one))}


@cache
def _fields_in_json(kind: type[Struct]) -> frozenset[str]:
    return frozenset(field.name for field in structs.fields(kind) if get_origin(_bare(field.type)) in _IN_JSON)


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind
