"""What every noun of the control API needs to be shown. Times are RFC 3339 in UTC, money decimal USD as text."""

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct

from tollhouse.core.amount import format_usd
from tollhouse.edge.admin.moments import written
from tollhouse.services import pages

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound=Struct)


class PageObject(Struct, Generic[T], frozen=True, kw_only=True, tag_field="object", tag="list"):
    """A list; `next` is given back as `after` to read on, null at the end."""

    data: tuple[T, ...]
    next: str | None = None


def page_object(page: pages.Page[R], shown: Callable[[R], T]) -> PageObject[T]:
    return PageObject(data=tuple(shown(record) for record in page.records), next=page.next)


def fill(kind: type[S], record: object, **more: object) -> S:
    """An object from a record: money `x_usd` from its nano-USD `x`, a time `x` from its Unix milliseconds `x_ms`, any
    other field from the one of its name. more: those that the record has not, or in another form."""
    names = [name for name in kind.__struct_fields__ if name not in more]
    return kind(**{name: _shown(record, name) for name in names}, **more)


def _shown(record: object, name: str) -> object:
    if name.endswith("_usd"):
        return format_usd(getattr(record, name.removesuffix("_usd")))
    return written(getattr(record, f"{name}_ms")) if hasattr(record, f"{name}_ms") else getattr(record, name)
