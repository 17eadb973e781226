"""Members of a request, decoded: each is read by its type, or blamed by its path where it has another one."""

from typing import Any

import msgspec

from tollhouse.core import half_pairs
from tollhouse.core.failure import BadRequest
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.raw_members import UNREAD
from tollhouse.formats.gemini.spelling import spelled, under


class Place:
    """An object of a request, and its path, as the caller wrote it. Names are given in camelCase."""

    __slots__ = ("_path", "value")

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, dict):
            raise BadRequest(f"'{path}' must be an object.", param=path)
        self.value: dict[str, Any] = value
        self._path = path

    def path(self, name: str) -> str:
        written = spelled(self.value, name)
        return f"{self._path}.{written}" if self._path else written

    def get(self, name: str) -> Any:
        return under(self.value, name)

    def has(self, name: str) -> bool:
        """Whether a member asks for anything: null, false and what is empty do not."""
        return self.get(name) not in (None, False, "", [], {})

    def text(self, name: str) -> str:
        value = self.get(name)
        if value is not None and not isinstance(value, str):
            raise BadRequest(f"'{self.path(name)}' must be a string.", param=self.path(name))
        return value or ""

    def number(self, name: str) -> float | None:
        value = self.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise BadRequest(f"'{self.path(name)}' must be a number.", param=self.path(name))
        return value

    def integer(self, name: str) -> int | None:
        """`topK` is a number by the API's description, and whole all the same."""
        value = self.number(name)
        if value is not None and not float(value).is_integer():
            raise BadRequest(f"'{self.path(name)}' must be an integer.", param=self.path(name))
        return None if value is None else int(value)

    def flag(self, name: str) -> bool:
        value = self.get(name)
        if value is not None and not isinstance(value, bool):
            raise BadRequest(f"'{self.path(name)}' must be true or false.", param=self.path(name))
        return bool(value)

    def texts(self, name: str) -> list[str]:
        """A text alone is a list of one."""
        value = self.get(name)
        found = [value] if isinstance(value, str) else [] if value is None else value
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise BadRequest(f"'{self.path(name)}' must be an array of strings.", param=self.path(name))
        return found

    def object(self, name: str) -> "Place | None":
        value = self.get(name)
        return None if value is None else Place(value, self.path(name))

    def objects(self, name: str) -> "list[Place]":
        """An object alone is a list of one."""
        value, path = self.get(name), self.path(name)
        if value is None:
            return []
        if isinstance(value, dict):
            return [Place(value, path)]
        if not isinstance(value, list):
            raise BadRequest(f"'{path}' must be an array.", param=path)
        return [Place(one, f"{path}[{at}]") for at, one in enumerate(value)]


def body_of(request: ModelRequest) -> Place:
    """A request's members, decoded. Half of a surrogate pair, which no other format can say, is read as U+FFFD.

    Raises BadRequest where one is nested too deeply, or holds a number that no float holds.
    """
    return Place({name: _decoded(request, name, bytes(raw)) for name, raw in request.members.items()})


def _decoded(request: ModelRequest, name: str, body: bytes) -> object:
    if request.has_halves:
        body = half_pairs.replace_hidden(body)
    try:
        return _any(body)
    except UNREAD:
        hidden = half_pairs.hide(body)
    try:
        if hidden is not None:
            return _any(half_pairs.replace_hidden(hidden))
    except UNREAD:
        pass
    raise BadRequest(f"'{name}' cannot be read: it is nested too deeply, or holds a number out of range.", param=name)


def _any(body: bytes) -> object:
    value: object = msgspec.json.decode(body)
    return value
