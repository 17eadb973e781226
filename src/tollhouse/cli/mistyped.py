"""What was typed wrongly, in words that name it and say what is typed instead. The parser's own words stay where these
say no more."""

from collections.abc import Iterator
from typing import Final, get_args

from cyclopts import (
    App,
    Argument,
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    Token,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)

from tollhouse.core.escaping import printable
from tollhouse.core.spelling import MEANT, alike, meant, nearest

_SHOWN_MAX: Final = 60
_EVERYWHERE: Final = ("--dir", "--json")


def told(error: CycloptsError) -> str:
    """One sentence, or two."""
    if isinstance(error, UnknownCommandError):
        return _command(error)
    if isinstance(error, UnusedCliTokensError):
        return _too_many(error)
    if isinstance(error, UnknownOptionError):
        return _option(error)
    if isinstance(error, MissingArgumentError) and error.argument is not None:
        return _too_few(error)
    if isinstance(error, CoercionError) and error.token is not None:
        return _unreadable(error, error.token)
    if isinstance(error, RepeatArgumentError):
        return f"{error.token.keyword} is given more than once: give it once"
    return str(error).strip()


def commands(app: App) -> list[str]:
    """The commands of a group, in the order in which they are helped with."""
    return [name for name in app if not name.startswith("-")]


def _command(error: UnknownCommandError) -> str:
    known = commands(error.app) if error.app is not None else []
    typed = (error.unused_tokens or [""])[0]
    likely = nearest(typed, known)
    cure = f"; did you mean {likely}?" if likely and alike(typed, likely) >= MEANT else "."
    if error.app is not None and not _chain(error):
        within = _likelier(typed, error.app, alike(typed, likely))
        cure = f"; did you mean {' or '.join(within)}?" if within else cure
    return f"there is no command {_shown(' '.join((*_chain(error), typed)))}{cure} There are {', '.join(known)}"


def _likelier(typed: str, app: App, least: float) -> list[str]:
    """Commands of groups that are more like it than any group is: those that are the likest."""
    found = [(alike(typed, name), f"{group} {name}") for group in commands(app) for name in commands(app[group])]
    best = max((likeness for likeness, _ in found), default=0.0)
    return [command for likeness, command in found if likeness == best and best >= MEANT and best > least]


def _too_many(error: UnusedCliTokensError) -> str:
    takes = list(_positional(error))
    typed = ", ".join(map(_shown, (error.unused_tokens or [])[:5]))
    whole = _usage(error, takes)
    more = (
        f"options are {', '.join(options)}" if (options := list(_options(error))) else "it takes no option of its own"
    )
    return f"not expected: {typed}. Type {whole}; {more}"


def _option(error: UnknownOptionError) -> str:
    typed = (error.token.keyword or error.token.value).partition("=")[0]
    known = [*_options(error), *_EVERYWHERE]
    likely = nearest(typed, known)
    if alike(typed.lstrip("-"), likely.lstrip("-")) >= MEANT:
        return f"there is no option {_shown(typed)} here; did you mean {likely}?"
    return f"there is no option {_shown(typed)} here; there are {', '.join(known)}"


def _too_few(error: MissingArgumentError) -> str:
    argument = error.argument
    assert argument is not None
    if error.keyword is not None:
        return f"{error.keyword} needs a value behind it{_help(argument)}"
    if argument.field_info.is_positional:
        return f"{_name(argument.name)} is missing: type {_usage(error, list(_positional(error)))}"
    if any(argument.name == token for token in error.unused_tokens or ()):
        return f"{argument.name} needs a value behind it"
    return f"{' '.join(_chain(error))} needs {argument.name}{_help(argument)}"


def _help(argument: Argument) -> str:
    return f" ({argument.parameter.help})" if argument.parameter.help else ""


def _unreadable(error: CoercionError, token: Token) -> str:
    named = token.keyword or (_name(error.argument.name) if error.argument is not None else "this")
    wanted = error.target_type
    if choices := get_args(wanted):
        known = [str(choice) for choice in choices]
        likely = meant(token.value, known)
        cure = f"; did you mean {likely}?" if likely else ""
        return f"{named}: there are {', '.join(known)}, and not {_shown(token.value)}{cure}"
    what = "whole number" if wanted is int else "number" if wanted is float else "value that can be read"
    return f"{named}: {_shown(token.value)} is no {what}"


def _chain(error: CycloptsError) -> tuple[str, ...]:
    return tuple(error.command_chain or ())


def _usage(error: CycloptsError, positional: list[str]) -> str:
    return " ".join(("tollhouse", *_chain(error), *positional))


def _positional(error: CycloptsError) -> Iterator[str]:
    """NAME, or [NAME] where it may be left out."""
    for argument in error.app.assemble_argument_collection() if error.app is not None else ():
        if argument.field_info.is_positional:
            yield _name(argument.name) if argument.required else f"[{_name(argument.name)}]"


def _options(error: CycloptsError) -> Iterator[str]:
    """Those of the command itself."""
    for argument in error.app.assemble_argument_collection() if error.app is not None else ():
        named = argument.name.startswith("--") and argument.name not in _EVERYWHERE
        if named and not argument.field_info.is_positional:
            yield argument.name


def _name(option: str) -> str:
    return option.lstrip("-").replace("-", "_").upper()


def _shown(typed: str) -> str:
    return printable(typed, _SHOWN_MAX)
