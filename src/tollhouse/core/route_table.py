"""Which of many routes a request means: by its method, and by its path, in which `{id}` stands for one segment."""

from collections.abc import Iterable
from typing import Protocol, TypeVar


class Routed(Protocol):
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...


R = TypeVar("R", bound=Routed)


def find(routes: Iterable[R], method: str, path: str) -> tuple[R, str] | list[str]:
    """The route and the id in its path, as it was sent (empty where its path names none); or, where no route fits, the
    methods that the path takes: none where it leads nowhere. A path that is named whole is none with an id in it, by
    whatever method. A HEAD means what a GET means."""
    asked = "GET" if method == "HEAD" else method
    whole: list[tuple[R, str]] = []
    with_id: list[tuple[R, str]] = []
    for one in routes:
        object_id = match(one.path, path)
        if object_id is None:
            continue
        (with_id if object_id else whole).append((one, object_id))
    fits = whole or with_id
    return next(((one, object_id) for one, object_id in fits if one.method == asked), [one.method for one, _ in fits])


def match(pattern: str, path: str) -> str | None:
    """The `{id}` of a path that fits the pattern, the empty text where the pattern has none; None: does not fit."""
    before, has_id, after = pattern.partition("{id}")
    if not has_id:
        return "" if path == pattern else None
    object_id = path[len(before) : len(path) - len(after)]
    fits = path.startswith(before) and path.endswith(after) and len(path) > len(before) + len(after)
    return object_id if fits and "/" not in object_id else None
