"""What stands about every error code: prose from one file a code in `errors/`, and what the code itself tells.

The bodies are made by the formats that answer callers, the exception classes follow from the status as the official
libraries choose them, so that neither can be out of date.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec
from msgspec import Struct

from tollhouse.console.client_errors import exceptions, is_retried
from tollhouse.core.failure import Failure, every_failure
from tollhouse.formats.anthropic import failure as anthropic
from tollhouse.formats.gemini import failure as gemini
from tollhouse.formats.openai import failure as openai

REQUEST_ID: Final = "req_01j8example"


class Cause(Struct, frozen=True, forbid_unknown_fields=True):
    """`page`: where it can be cured."""

    why: str
    cure: str
    page: str = ""


class ErrorWords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`retry`: whether and after what to try again. What stands between backticks is code."""

    title: str
    means: str
    retry: str
    charged: str
    causes: tuple[Cause, ...]


class ErrorProse(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file. `words`: by language."""

    related: tuple[str, ...]
    words: Mapping[str, ErrorWords]


class Body(Struct, frozen=True):
    """An answer as it comes: `where` is its format, or the stream in which it stands."""

    where: str
    status: int
    text: str


class ErrorPage(Struct, frozen=True, kw_only=True):
    """One code. `statuses`: the usual one first. `exceptions`: what each official library raises. `is_retried`: they
    try again by themselves."""

    code: str
    statuses: tuple[int, ...]
    prose: ErrorProse
    bodies: tuple[Body, ...]
    exceptions: Mapping[str, str]
    is_retried: bool


@cache
def error_pages() -> Mapping[str, ErrorPage]:
    """By code, in the order of the tree of failures."""
    kinds: dict[str, list[type[Failure]]] = {}
    for kind in every_failure():
        kinds.setdefault(kind.code, []).append(kind)
    return {code: _page(code, found) for code, found in kinds.items()}


def _page(code: str, kinds: list[type[Failure]]) -> ErrorPage:
    usual = kinds[0]
    file = files("tollhouse.console").joinpath("errors", f"{code}.toml")
    return ErrorPage(
        code=code,
        statuses=tuple(dict.fromkeys(kind.status for kind in kinds)),
        prose=msgspec.convert(tomllib.loads(file.read_text("utf-8")), ErrorProse),
        bodies=tuple(_bodies(usual)),
        exceptions=exceptions(usual.status, usual.anthropic_status or usual.status),
        is_retried=usual.retry_default is not False and is_retried(usual.status),
    )


def _bodies(kind: type[Failure]) -> Iterator[Body]:
    failure = kind("The message says what is wrong with this very call.")
    yield Body("OpenAI", openai.status(failure), openai.body(failure, REQUEST_ID).decode())
    yield Body("Anthropic", anthropic.status(failure), anthropic.body(failure, REQUEST_ID).decode())
    yield Body("Gemini", gemini.status(failure), gemini.body(failure, REQUEST_ID).decode())
    yield Body("OpenAI, in a stream", 200, openai.event(failure, REQUEST_ID).decode().strip())
    yield Body("Anthropic, in a stream", 200, anthropic.event(failure, REQUEST_ID).decode().strip())
    yield Body("Gemini, in a stream", 200, gemini.event(failure, REQUEST_ID).decode().strip())
