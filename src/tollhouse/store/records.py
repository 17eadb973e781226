"""From a row to a record of the core, checked on the way: what a database holds is data like any other."""

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct, convert, json

Record = TypeVar("Record", bound=Struct)


def record(row: Mapping[Any, Any], kind: type[Record], *, as_json: tuple[str, ...] = (), **more: object) -> Record:
    """`as_json` names the columns that hold JSON text; `more` adds members that stand in other tables."""
    members = {str(name): value for name, value in row.items()}  # SQLAlchemy's names are a subclass of str
    members.update((name, json.decode(members[name])) for name in as_json)
    return convert(members | more, kind)
