"""The code that makes a call, in three languages, for the client library that a format is called by.

One file a library in `libraries/`. In its texts `@BASE@`, `@METHOD@` and `@ARGUMENTS@` stand for the address without a
slash, what is called, and the members of the request as that language writes them; `@FILE@` and `@FILE_NAME@` for
a file that is sent. The key is the reader's own.
"""

import json
import shlex
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec
from msgspec import Struct

from tollhouse.console.call_formats import CallFormat, Given, arguments_of, body_of, call_formats, format_of
from tollhouse.core.usage_record import UsageRecord

PLACEHOLDER: Final = "YOUR TEXT"
CURL: Final = "curl"
ArgumentKind = Literal["python", "json"]


class Language(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`call`, and how its answer is read behind it: whole, or streamed. `methods`: what the methods of formats are
    called in this language; those that are not named keep their name."""

    label: str
    arguments: ArgumentKind
    call: str
    whole: str
    streamed: str
    methods: dict[str, str] = {}


class Library(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`headers`: of a call without it, by curl with `curl_options`."""

    headers: tuple[str, ...]
    curl_options: str = ""
    languages: tuple[Language, ...]


@cache
def libraries() -> Mapping[str, Library]:
    found = {}
    for file in files("tollhouse.console").joinpath("libraries").iterdir():
        found[file.name.removesuffix(".toml")] = msgspec.convert(tomllib.loads(file.read_text("utf-8")), Library)
    return found


def code(call_format: CallFormat, given: Given, base_url: str) -> dict[str, str]:
    """By its language: curl, Python, Node."""
    library, arguments = libraries()[call_format.library], arguments_of(call_format, given)
    method = (call_format.stream_method if given.stream else "") or call_format.method
    written = {CURL: _curl(call_format, library, given, base_url)}
    for one in library.languages:
        call = one.call.strip().replace("@BASE@", base_url).replace("@METHOD@", one.methods.get(method, method))
        read = (one.streamed if given.stream else one.whole).strip()
        call = call.replace("@FILE@", call_format.file).replace("@FILE_NAME@", call_format.file_name)
        # The arguments come last: what somebody wrote may look like a place.
        written[one.label] = call.replace("@ARGUMENTS@", _ARGUMENTS[one.arguments](arguments)) + "\n" + read
    return written


def simulated(given: Given, base_url: str, script: str) -> dict[str, str]:
    """A call of a test key that fails as a script says, for free: by curl, in each dialect. By the dialect's label."""
    found: dict[str, str] = {}
    for one in call_formats().values():
        if one.operation == "chat":
            text = _curl(
                one,
                libraries()[one.library],
                given,
                base_url,
                options="-i ",
                headers=(f"x-tollhouse-simulate: {script}",),
            )
            found[one.label] = text.replace("$TOLLHOUSE_API_KEY", "$TOLLHOUSE_TEST_KEY")
    return found


def code_again(call: UsageRecord, base_url: str) -> dict[str, str]:
    """Of a call that was made: its model and its kind; the text is the reader's. Nothing for a kind that pages do not
    know."""
    call_format = format_of(call.dialect, call.operation)
    if call_format is None:
        return {}
    model = call.model or (call.detail.model if call.detail else "") or "MODEL"
    return code(call_format, Given(model=model, text=PLACEHOLDER, stream=call.stream), base_url)


def _curl(
    call_format: CallFormat,
    library: Library,
    given: Given,
    base_url: str,
    *,
    options: str = "",
    headers: Sequence[str] = (),
) -> str:
    body = body_of(call_format, given)
    sent = (*library.headers, *headers, *(() if call_format.file else ("Content-Type: application/json",)))
    written = "".join(f'  -H "{one}" \\\n' for one in sent)
    path = (call_format.stream_path if given.stream else "") or call_format.path
    address = base_url + path.replace("@MODEL@", quote(given.model, safe=""))
    more = f"  {library.curl_options} \\\n" if library.curl_options else ""
    if call_format.file:
        data = _form(call_format, body)
    else:
        quoted = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
        data = f"  -d '{quoted}'"
    return f"curl {options}{shlex.quote(address)} \\\n{more}{written}{data}"


def _form(call_format: CallFormat, body: Mapping[str, Any]) -> str:
    """`--form-string` reads nothing into what somebody wrote, as a file where it begins with @."""
    parts = [f"  -F {call_format.file}=@{call_format.file_name}"]
    parts += [f"  --form-string {shlex.quote(f'{name}={value}')}" for name, value in body.items()]
    return " \\\n".join(parts)


def _in_python(body: Mapping[str, Any]) -> str:
    return "".join(f"    {name}={value!r},\n" for name, value in body.items())


def _in_json(body: Mapping[str, Any]) -> str:
    return json.dumps(body, indent=2, ensure_ascii=False)


_ARGUMENTS: Final[Mapping[ArgumentKind, Callable[[Mapping[str, Any]], str]]] = {"python": _in_python, "json": _in_json}
