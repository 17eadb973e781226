"""What an error of a provider says, whatever its shape: words, reason, the field to blame, code and members that stay.

The forms stand in docs/provider-errors.md. Two rules read them all. A place is an object that may say something: the
body, what stands in it under a known name, and JSON that stands in a text. The reason is the first one, from the
outside in, that says more than that something failed. The work is bounded: `DEPTH_MAX` objects deep, `PLACES_MAX`
objects, `BYTES_MAX` of a body that is no JSON.

Words that stand in a text are kept apart (`quoted`): a caller can have their own words repeated there, so these never
tell whose key or account failed.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from tollhouse.core import error_fields as fields

DEPTH_MAX: Final = 8
PLACES_MAX: Final = 64
WORDS_MAX: Final = 64
BYTES_MAX: Final = 65_536
TEXT_MAX: Final = 16_384  # of a text that may hold JSON
_LIST_MAX: Final = 8

_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_EVENT_STARTS: Final = ("data:", "event:", "id:", ":")
_GENERIC: Final = re.compile(
    r"(?:the )?(?:provider returned error|upstream (?:request )?(?:error|failed)|bad request|error|invalid request|"
    r"unprocessable (?:entity|content)|validation (?:error|failed)|unknown error|internal error|"
    r"bad_response_status_code|request contains an invalid argument|one or more validation errors occurred|failed|"
    r"client error|"
    r"(?:api )?request failed(?: with status code \d+)?|bad response status code \d+|error code: \d+|status \d+|"
    r"openai_error|invalid input|invalid params?|null|none|openai api error)[.:!]*\s*",
    re.IGNORECASE,
)


class Report(Struct, frozen=True):
    """Words are lower-cased, message and param as they came. `code`: the original's word, where one came that stays.
    `members`: others of the error that stay. `readable`: an error of a shape we know."""

    words: frozenset[str] = frozenset()
    quoted: frozenset[str] = frozenset()
    message: str = ""
    param: str | None = None
    code: str | None = None
    members: Mapping[str, object] = {}
    readable: bool = False


UNREADABLE: Final = Report()


class _Place(Struct):
    value: dict[str, object]
    is_quoted: bool = False
    lead: str = ""  # the text before JSON that stood in it


def read_report(body: bytes) -> Report:
    """Of a body. One that is neither JSON nor events is the reason itself; a page of HTML is for `clean` to drop."""
    text = _text_of(body).strip()
    values = list(_values(text))
    if not values:
        return Report(message=text[:TEXT_MAX]) if text[:1] not in ("{", "[") else _cut_off(text)
    report = report_of(values[0] if len(values) == 1 else values)
    if not report.readable and isinstance(values[0], str):
        return report_of({"message": values[0]})
    return report


def report_of(value: object) -> Report:
    """Of decoded JSON: an error object, or whatever holds one."""
    locations = list(_bounded(_places(value, 0, quoted=False)))
    reasons = [found for location in locations for found in fields.reasons(location.value, location.lead)]
    message, param = _best(reasons)
    for location in locations:
        param = param or fields.param(location.value)
    outer = [word for location in locations if not location.is_quoted for word in fields.words(location.value)]
    quoted = [word for location in locations if location.is_quoted for word in fields.words(location.value)]
    members: dict[str, object] = {}
    for location in locations:
        members = fields.members(location.value) | members
    words = frozenset(outer[:WORDS_MAX])
    return Report(
        words,
        frozenset(quoted[:WORDS_MAX]),
        message,
        param,
        fields.original(outer + quoted),
        members,
        readable=bool(message or words),
    )


def _best(reasons: list[tuple[str, str | None]]) -> tuple[str, str | None]:
    """The first that is more than the statement that something failed, else the first."""
    for reason, param in reasons:
        if not _GENERIC.fullmatch(reason.strip()):
            return reason, param
    return reasons[0] if reasons else ("", None)


def _text_of(body: bytes) -> str:
    """The body as text, in the encoding that its mark or its zeros tell."""
    body = body[: BYTES_MAX * 4]
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body.removeprefix(mark).decode(encoding.removesuffix("-sig"), errors="replace")
    if len(body) > 3 and body[1] == 0 and body[0]:
        return body.decode("utf-16-le", errors="replace")
    if len(body) > 3 and body[0] == 0 and body[1]:
        return body.decode("utf-16-be", errors="replace")
    return body.decode(errors="replace")


def _values(text: str) -> Iterator[object]:
    """The JSON of a text: itself, the data of its events, its lines, or what stands in a JSONP call."""
    if text.startswith(_EVENT_STARTS):
        lines = (line.strip() for line in text.splitlines()[: PLACES_MAX * 4])
        data = [line[5:].strip() for line in lines if line.startswith("data:")]
        found = [value for one in data for value in _decoded(one)]
        yield from found[:_LIST_MAX] or ([{"message": data[0]}] if data and data[0] != "[DONE]" else [])
        return
    whole = list(_decoded(text))
    if whole or text[:1] not in ("{", "["):
        yield from whole
        return
    found = [value for line in text.splitlines()[:_LIST_MAX] for value in _decoded(line)]
    yield from found or _first_of(text)


def _decoded(text: str) -> Iterator[object]:
    """The value that a text is; none where it is a bare number, or no JSON."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return
    if value is not None and not isinstance(value, int | float):
        yield value


def _first_of(text: str) -> Iterator[object]:
    """The first of several objects in a row (`{...}{...}`)."""
    try:
        yield json.JSONDecoder().raw_decode(text)[0]
    except (ValueError, RecursionError):
        return


def _cut_off(text: str) -> Report:
    """JSON that has no end: its message, where that is whole."""
    found = re.search(r'"(?:message|detail|msg|error)"\s*:\s*("(?:[^"\\]|\\.){1,2000}")', text[:TEXT_MAX])
    said = next(_decoded(found[1]), "") if found else ""
    return Report(message=said) if isinstance(said, str) else UNREADABLE


def _bounded(locations: Iterator[_Place]) -> Iterator[_Place]:
    for _, location in zip(range(PLACES_MAX), locations, strict=False):
        yield location


def _places(value: object, depth: int, *, quoted: bool, lead: str = "") -> Iterator[_Place]:
    """The objects that may say something, outermost first."""
    if depth >= DEPTH_MAX:
        return
    if isinstance(value, list):
        for entry in value[:_LIST_MAX]:
            yield from _places(entry, depth + 1, quoted=quoted)
    elif isinstance(value, dict):
        inner = list(_inner(value))
        held: dict[str, tuple[str, object]] = {}
        for _, text in inner:
            within = _json_in(text) if isinstance(text, str) else None
            if within is not None:
                held[str(text)] = within
        plain = {name: one for name, one in value.items() if not (isinstance(one, str) and one in held)}
        yield _Place(plain, quoted, lead)
        for name, one in inner:
            if isinstance(one, str):
                if one in held:
                    before, found = held[one]
                    yield from _places(found, depth + 1, quoted=True, lead=before)
            elif isinstance(one, list) and all(isinstance(each, str) for each in one):
                yield _Place({"message": "; ".join(map(str, one[:_LIST_MAX]))}, quoted)
            elif fields.is_by_field(name, one):
                yield _Place({"by_field": one}, quoted)
            else:
                yield from _places(one, depth + 1, quoted=quoted)


def _inner(value: dict[str, object]) -> Iterator[tuple[str, object]]:
    """The members that may hold more, by their lower-case name."""
    for name, one in value.items():
        lower = name.lower()
        if lower in fields.INNER and (isinstance(one, dict | list) or (isinstance(one, str) and one)):
            yield lower, one


def _json_in(text: str) -> tuple[str, object] | None:
    """JSON (or a Python dict, as exceptions print it) that stands in a text, and what stands before it."""
    if len(text) > TEXT_MAX:
        return None
    at = text.find("{")
    bracket = text.find("[{")
    at = bracket if 0 <= bracket < at else at
    if at < 0:
        return None
    try:
        found: object = json.JSONDecoder().raw_decode(text[at:])[0]
    except (ValueError, RecursionError):
        found = _python_in(text[at:])
    if not _says_something(found):
        return None
    return text[:at].strip().rstrip(":-").strip(), found


def _python_in(text: str) -> object:
    end = text.rfind("}")
    if end < 0 or len(text) > 4_096 or text[:2] not in ("{'", '{"', "[{"):
        return None
    try:
        return ast.literal_eval(text[: end + 1] + ("]" if text[0] == "[" else ""))
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def _says_something(value: object) -> bool:
    """Whether JSON in a text is an error, and not a piece of the request that the text quotes."""
    if isinstance(value, list):
        return bool(value) and _says_something(value[0])
    if not isinstance(value, dict):
        return False
    names = {name.lower() for name in value if isinstance(name, str)}
    return bool(names & {"error", "errors", "message", "detail", "msg", "error_msg", "error_message"})
