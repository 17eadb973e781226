"""The options of a command, made from the struct that its route takes: one option for each field with a Help."""

from collections.abc import Callable, Collection, Mapping
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, Final, Literal, get_args, get_origin

import cyclopts
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from tollhouse.core.fields import Help

Given = Mapping[str, object]
"""What was typed, by the fields' names in JSON; what was not typed is not in it."""

_GIVEN: Final = "given"


def takes(
    kind: type[Struct], *places: str, but: Collection[str] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options of `kind`; it is called with what was typed of them as `given`, and with its own
    parameters. places: fields that are typed by their place, without the name of an option. but: fields that this
    command has no option for."""

    def made(command: Callable[..., Any]) -> Callable[..., Any]:
        own = list(signature(command).parameters.values())
        at = [parameter.name for parameter in own].index(_GIVEN)
        options = {
            field.name: _parameter(field, note, field.name in places)
            for field, note in _helps(kind)
            if field.name not in but
        }
        names = {field.name: field.encode_name for field in fields(kind)}
        shown = Signature([*own[:at], *sorted(options.values(), key=lambda one: one.kind), *own[at + 1 :]])

        def run(*args: object, **kwargs: object) -> object:
            typed = shown.bind(*args, **kwargs).arguments
            given = {names[name]: typed.pop(name) for name in options if name in typed}
            return command(**typed, given={name: value for name, value in given.items() if value is not None})

        run.__signature__ = shown  # type: ignore[attr-defined]
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        run.__annotations__ = {one.name: one.annotation for one in shown.parameters.values()}
        return run

    return made


def _helps(kind: type[Struct]) -> list[tuple[FieldInfo, Help]]:
    return [(field, note) for field in fields(kind) for note in get_args(field.type) if isinstance(note, Help)]


def _parameter(field: FieldInfo, note: Help, by_place: bool) -> Parameter:
    option = cyclopts.Parameter(
        name=f"--{note.option}" if note.option else None,
        help=note.words or None,
        negative=None if note.clearable else (),
        allow_leading_hyphen=field.name.endswith("_usd"),
    )
    kind = Literal[note.choices] if note.choices else get_args(field.type)[0]
    default = field.default if note.shown else _default(field, kind)
    return Parameter(
        field.name,
        Parameter.POSITIONAL_OR_KEYWORD if by_place else Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind | None if default is None else kind, option],
    )


def _default(field: FieldInfo, kind: Any) -> object:
    """What the help shows: of flags and choices what holds without the option, of lists that nothing was typed. The
    default of any other field is a matter of whoever reads the request."""
    if field.default is NODEFAULT and field.default_factory is NODEFAULT:
        return Parameter.empty
    if get_origin(kind) is tuple:
        return ()
    return field.default if kind is bool or get_origin(kind) is Literal else None
