"""How a call is asked for in each wire format, and where its answer has its text: one file each in `formats/`.

In a file's `body`, a text such as `@TEXT@` stands for what somebody gave. Where they gave nothing the member is left
out; in a list, the whole element. `texts` and `deltas` are paths to what the model wrote, in a whole answer and in an
event of a stream: names of members, and `*` for each element of a list. A format without `deltas` does not stream.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from tollhouse.core.operation import Dialect, Operation

Path = tuple[str, ...]
_EACH: Final = "*"
DIALECT_TITLES: Final[Mapping[Dialect, str]] = {"openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Gemini"}


class CallFormat(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`name`: of the file. `path`: of the endpoint, which may hold `@MODEL@`. `library`: a file in `libraries/`, and
    `method` what is called in it, with `arguments`; none: with the members of the body. `stream_path` and
    `stream_method`: of a stream, where those are others. `events`: the `type` of those events that have a delta; none:
    any event has one. `defaults`: what stands in a place where nothing was given, and its original needs something.
    `shows`: what its answer is. `file`: the part of a form that holds a file, which programs send and pages do not;
    `file_name`: as code names it."""

    name: str
    label: str
    order: int
    dialect: Dialect
    operation: Operation
    path: str
    library: str
    method: str
    body: dict[str, Any]
    stream_path: str = ""
    stream_method: str = ""
    arguments: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    shows: Literal["text", "images", "sound"] = "text"
    file: str = ""
    file_name: str = ""
    texts: tuple[Path, ...] = ()
    deltas: tuple[Path, ...] = ()
    events: tuple[str, ...] = ()

    @property
    def names_model(self) -> bool:
        """Whether the path names the model, and whether a stream is asked for."""
        return "@MODEL@" in self.path


class Given(Struct, frozen=True, kw_only=True):
    """What a call is made of. Empty and None: not given."""

    model: str
    text: str
    instructions: str = ""
    max_tokens: int | None = None
    temperature: float | None = None
    stream: bool = False


@cache
def call_formats() -> Mapping[str, CallFormat]:
    """All of them in their order, by their names."""
    read = []
    for file in files("tollhouse.console").joinpath("formats").iterdir():
        read.append({"name": file.name.removesuffix(".toml"), **tomllib.loads(file.read_text("utf-8"))})
    found = sorted(msgspec.convert(read, list[CallFormat]), key=lambda one: one.order)
    return {one.name: one for one in found}


def format_of(dialect: Dialect, operation: Operation) -> CallFormat | None:
    """None: calls of this kind are not made from pages."""
    return next((one for one in call_formats().values() if (one.dialect, one.operation) == (dialect, operation)), None)


def title_of(wire: str) -> str:
    """What a wire format is called; its name where pages do not know it."""
    found = call_formats().get(wire)
    return wire if found is None else found.label


def body_of(call_format: CallFormat, given: Given) -> dict[str, Any]:
    """The members of a request that asks for this."""
    return _with(call_format.body, given, call_format.defaults)


def arguments_of(call_format: CallFormat, given: Given) -> dict[str, Any]:
    """What the method of the client library is called with."""
    return _with(call_format.arguments or call_format.body, given, call_format.defaults)


def _with(template: dict[str, Any], given: Given, defaults: Mapping[str, Any]) -> dict[str, Any]:
    values = {
        "@MODEL@": given.model,
        "@TEXT@": given.text,
        "@INSTRUCTIONS@": given.instructions or None,
        "@MAX_TOKENS@": given.max_tokens,
        "@TEMPERATURE@": given.temperature,
        "@STREAM@": True if given.stream else None,
    }
    values |= {place: value for place, value in defaults.items() if values[place] is None}
    filled: dict[str, Any] = _filled(template, values)
    return filled


def places_of(call_format: CallFormat) -> frozenset[str]:
    """What a format has a place for, as `@TEXT@`."""
    return frozenset(_places(call_format.body))


def texts_at(value: object, paths: tuple[Path, ...]) -> str:
    """What the model wrote, in a value that was read from JSON. Nothing where the value has another shape."""
    return "".join(text for path in paths for text in _at(value, path))


def _places(template: Any) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    for one in template.values() if isinstance(template, dict) else template if isinstance(template, list) else ():
        yield from _places(one)


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    """None where nothing is left of it."""
    if isinstance(template, str):
        return values.get(template, template)
    if isinstance(template, dict):
        made = {name: _filled(part, values) for name, part in template.items()}
        return {name: part for name, part in made.items() if part is not None} or None
    if isinstance(template, list):
        return [_filled(one, values) for one in template if not _lacks(one, values)] or None
    return template


def _lacks(template: Any, values: Mapping[str, Any]) -> bool:
    return any(values.get(one, one) is None for one in _places(template))


def _at(value: object, path: Path) -> Iterator[str]:
    if not path:
        if isinstance(value, str):
            yield value
        return
    first, rest = path[0], path[1:]
    if first == _EACH:
        for one in value if isinstance(value, list) else ():
            yield from _at(one, rest)
    elif isinstance(value, dict) and first in value:
        yield from _at(value[first], rest)
