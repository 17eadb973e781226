"""What a vendor's own words and sentences mean, as a table beside its kind; the rest is `openai_errors`.

An answer that a rule fits is read as one of the OpenAI format with the status and the word of that meaning, so that
what callers are told, whom it blames and when to come back are decided as for all. Of several rules the first holds.

A sentence decides only where it stands at the beginning of the message: callers can have their own words repeated
further behind, and must not be able to bring about that our key is taken for a bad one. Rules that blame nothing but
the request may look anywhere.
"""

import re
from collections.abc import Callable
from typing import Final, Literal

import msgspec
from msgspec import Struct, structs

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.error_report import Report, read_report
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Headers
from tollhouse.providers.kind import Fault, ReadError
from tollhouse.providers.openai_errors import read_compatible_error

Meaning = Literal[
    "bad_key",
    "no_permission",
    "empty_account",
    "saturated",
    "overloaded",
    "timeout",
    "broken",
    "no_such_model",
    "too_large",
    "too_long",
    "policy",
    "bad_request",
]
REQUESTS: Final = frozenset({"too_large", "too_long", "policy", "bad_request"})
"""Meanings that blame the request alone."""

_READ_MAX: Final = 4_000  # of a message
_WORD_MAX: Final = 64
_READ_AS: Final[dict[Meaning, tuple[int, str]]] = {
    "bad_key": (401, "invalid_api_key"),
    "no_permission": (403, "permission_denied"),
    "empty_account": (403, "insufficient_quota"),
    "saturated": (429, "rate_limit_exceeded"),
    "overloaded": (503, "overloaded_error"),
    "timeout": (504, ""),
    "broken": (500, ""),
    "no_such_model": (404, "model_not_found"),
    "too_large": (413, ""),
    "too_long": (400, "prompt_too_long"),
    "policy": (400, "content_policy"),
    "bad_request": (400, "bad_request"),
}

Waiting = Callable[[Headers, bytes], int | None]
"""From the head and body of an error answer, the milliseconds after which to come back; None: nothing was said."""


class ErrorRule(Struct, frozen=True):
    """`words`: machine-readable words of the body in lower case, one of which must be there. `says`: a pattern that the
    message must fit from its first character on. Where several are given, all must hold; `source`: who says so."""

    means: Meaning
    words: frozenset[str] = frozenset()
    says: re.Pattern[str] | None = None
    statuses: frozenset[int] = frozenset()
    source: str = ""

    def fits(self, status: int, report: Report) -> bool:
        if self.statuses and status not in self.statuses:
            return False
        if self.words and not self.words & report.words:
            return False
        return self.says is None or self.says.match(report.message[:_READ_MAX]) is not None


def rule(
    means: Meaning, *words: str, says: str = "", status: int | tuple[int, ...] = (), source: str = ""
) -> ErrorRule:
    """One row of a vendor's table."""
    pattern = re.compile(says, re.IGNORECASE | re.DOTALL) if says else None
    statuses = frozenset((status,) if isinstance(status, int) else status)
    return ErrorRule(means, frozenset(words), pattern, statuses, source)


def reader(
    *rules: ErrorRule,
    waiting: Waiting | None = None,
    param: re.Pattern[str] | None = None,
    type_header: bytes | None = None,
) -> ReadError:
    """`Kind.read_error` by these rules.

    waiting: for vendors who say when to come back in a place of their own; it goes before `Retry-After`.
    param: finds the field to blame at the beginning of a message (its first group), where the body names none.
    type_header: which header names the type of an error, for vendors whose bodies do not.
    """

    def read_error(
        operation: Operation, status: int, headers: Headers, body: bytes, known: Known = NOTHING_KNOWN
    ) -> Fault:
        wait_ms = None if waiting is None else waiting(headers, body)
        if wait_ms is not None:
            headers = [*headers, (b"retry-after-ms", b"%d" % wait_ms)]
        if 300 <= status < 400:
            return read_compatible_error(operation, status, headers, body, known)
        report = read_report(body)
        kind = next((value for name, value in headers if name == type_header), b"").partition(b":")[0].strip()
        if kind:
            word = kind.decode("latin-1").rpartition("#")[2].lower()
            report = structs.replace(report, words=report.words | {word[:_WORD_MAX]})
        found = next((one for one in rules if one.fits(status, report)), None)
        named = None if param is None or report.param else param.match(report.message)
        if found is None and named is None and not kind:
            return read_compatible_error(operation, status, headers, body, known)
        read_as, word = (status, "") if found is None else _READ_AS[found.means]
        fault = read_compatible_error(operation, read_as, headers, _told(report, word, named), known)
        return structs.replace(fault, words=fault.words.replace(f"HTTP {read_as}", f"HTTP {status}", 1))

    return read_error


def _told(report: Report, word: str, named: re.Match[str] | None) -> bytes:
    """The same error in OpenAI's form; without a rule's word it keeps its own words."""
    error: dict[str, object] = {**report.members, "message": report.message}
    error["param"] = report.param if named is None else named[1]
    if word:
        return msgspec.json.encode({"error": {**error, "code": word, "type": report.code}})
    return msgspec.json.encode({"error": error, "errors": [{"code": each} for each in sorted(report.words)]})
