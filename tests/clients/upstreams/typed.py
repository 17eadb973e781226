"""JSON held against the types that a vendor ships in its SDK: of requests (TypedDicts), of answers (pydantic)."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NotRequired, Required, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypeAliasType, get_type_hints, is_typeddict

LITTLE: Final = 200  # characters of a value that a complaint shows
SCALARS: Final[Mapping[Any, tuple[type, ...]]] = {str: (str,), bool: (bool,), int: (int,), float: (int, float)}
BESIDE: Final = frozenset(("reasoning_content", "reasoning_details", "temperature", "top_p", "top_k", "store"))
"""Members that one SDK or another has no type for: thoughts as many servers write them, sampling of older models, what
a response repeats of its request."""

TOLERATED: Final = frozenset(
    (
        ("ChatCompletionToolMessageParam", "name"),
        ("EasyInputMessageParam", "id"),
        ("ResponseCreateParamsStreaming", "client_metadata"),
    )
)
"""A type, and a member that its vendor takes all the same: clients send it."""


def misfits(value: object, annotation: Any, at: str = "body") -> Iterator[str]:
    """What in `value` the annotation does not allow, each with its place. Members that it does not name do not fit."""
    origin, options = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, TypeAliasType):
        yield from misfits(value, annotation.__value__, at)
    elif annotation in (Any, object):
        pass
    elif annotation in (None, NoneType):
        yield from _unless(value is None, value, "null", at)
    elif annotation in SCALARS:
        fits = isinstance(value, SCALARS[annotation]) and isinstance(value, bool) == (annotation is bool)
        yield from _unless(fits, value, annotation.__name__, at)
    elif origin in (Required, NotRequired, Annotated):
        yield from misfits(value, options[0], at)
    elif origin is Literal:
        yield from _unless(value in options, value, f"one of {options}", at)
    elif origin in (Union, UnionType):
        yield from _of_several(value, options, at)
    elif is_typeddict(annotation):
        yield from _of_members(value, annotation, at)
    elif origin is not None and issubclass(origin, Mapping):
        yield from _unless(isinstance(value, dict), value, "an object", at)
        for name, one in value.items() if isinstance(value, dict) else ():
            yield from misfits(one, options[1], f"{at}.{name}")
    elif origin is not None and issubclass(origin, Iterable):
        yield from _unless(isinstance(value, list), value, "a list", at)
        for number, one in enumerate(value if isinstance(value, list) else ()):
            yield from misfits(one, options[0], f"{at}[{number}]")
    else:  # a class of the SDK (of an answer, of a file) stands for no JSON of a request
        yield f"{at}: is no {getattr(annotation, '__name__', annotation)}"


def _unless(fits: bool, value: object, wanted: str, at: str) -> Iterator[str]:
    if not fits:
        yield f"{at}: {str(value)[:LITTLE]!r} is not {wanted}"


def _of_several(value: object, options: tuple[Any, ...], at: str) -> Iterator[str]:
    """The complaints of the option that comes nearest: of the same `type` or `role`, with the fewest of them."""
    found = [list(misfits(value, option, at)) for option in options]
    if not all(found):
        return
    named = [
        complaints
        for complaints in found
        if not any(f"{at}.{kind}: {_repr(value, kind)}" in one for one in complaints for kind in ("type", "role"))
    ]
    yield from min(named or found, key=lambda complaints: (-max(one.count(".") for one in complaints), len(complaints)))


def _repr(value: object, member: str) -> str:
    return repr(str(value.get(member))[:LITTLE]) if isinstance(value, dict) else "?"


@cache
def _hints(annotation: Any) -> dict[str, Any]:
    return get_type_hints(annotation, include_extras=True)


def _of_members(value: object, annotation: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {str(value)[:LITTLE]!r} is no object"
        return
    hints = _hints(annotation)
    for name, one in value.items():
        if name in hints:
            yield from misfits(one, hints[name], f"{at}.{name}")
        elif name not in BESIDE and (annotation.__name__, name) not in TOLERATED:
            yield f"{at}.{name}: unknown to {annotation.__name__}"
    for name in annotation.__required_keys__ - value.keys():
        yield f"{at}.{name}: missing, {annotation.__name__} requires it"


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def valid(kind: Any, value: object) -> Any:
    """The value as an instance of the SDK's class. Raises where it does not fit, or has members unknown to it."""
    made = _adapter(kind).validate_python(value)
    beside = list(_beside(made))
    assert not beside, f"members unknown to the SDK: {beside}"
    return made


def _beside(value: object, at: str = "answer") -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from (f"{at}.{name}" for name in value.model_extra or {} if name not in BESIDE)
        for name in type(value).model_fields:
            yield from _beside(getattr(value, name), f"{at}.{name}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _beside(one, f"{at}[{number}]")
