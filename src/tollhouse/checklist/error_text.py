"""Step 5: an error as somebody pastes it: a body, a dump of headers, what a library printed, or a request's id."""

import re
from typing import Final

from msgspec import Struct

from tollhouse.checklist.error_codes import STATUS_OF, code_of
from tollhouse.checklist.heads import status_in
from tollhouse.checklist.local_errors import local_trouble
from tollhouse.checklist.steps import ChecklistStep, Trouble, not_run, red
from tollhouse.core.failure_words import words_of
from tollhouse.core.phrase import Phrase

ERROR_MAX: Final = 64_000
"""Characters that are looked at."""
_ID: Final = re.compile(r"\breq_[0-9a-z]{26}\b")
_NAMED: Final = r"(?<![A-Za-z0-9_])[\"']?{0}[\"']?\s{{0,20}}[:=]\s{{0,20}}"
_CODE: Final = re.compile(_NAMED.format("(?:code|reason)") + r"[\"']([A-Za-z_][A-Za-z0-9_]{2,60})[\"']")
_KIND: Final = re.compile(_NAMED.format("(?:type|status)") + r"[\"']([A-Za-z_]{3,40})[\"']")
_DOCS: Final = re.compile(r"/docs/errors/([a-z_]{3,40})")
_MESSAGE: Final = re.compile(
    _NAMED.format("message") + r"(?:\"((?:\\.|[^\"\\]){1,1500})|'((?:\\.|[^'\\]){1,1500})|`([^`]{1,1500}))"
)
_STATUS: Final = (
    re.compile(r"Error code: ([1-5][0-9]{2})\b"),
    re.compile(_NAMED.format("(?:status|status_?code|http_?status|code)") + r"[\"']?([1-5][0-9]{2})\b", re.IGNORECASE),
    re.compile(r"(?:Error|Exception|API)[A-Za-z]{0,40}:? \(?([1-5][0-9]{2})\b"),
    re.compile(r"\bHTTP[ /]?(?:status|error|code)?:? {0,3}([1-5][0-9]{2})\b", re.IGNORECASE),
    re.compile(r"^\s{0,20}([1-5][0-9]{2})\b"),
)
_CLASSES: Final = {
    "AuthenticationError": 401, "PermissionDeniedError": 403, "NotFoundError": 404, "ConflictError": 409,
    "UnprocessableEntityError": 422, "RateLimitError": 429, "InternalServerError": 500, "BadRequestError": 400,
    "ContentTooLargeError": 413, "RequestTimeoutError": 408, "OverloadedError": 529, "GatewayTimeoutError": 504,
    "ServiceUnavailableError": 503, "PaymentRequiredError": 402, "RequestHeaderFieldsTooLargeError": 431,
    "RequestTooLargeError": 413, "DeadlineExceededError": 504,
}  # fmt: skip
_WORD: Final = re.compile(r"(?<![a-z_])[a-z]{2,20}(?:_[a-z]{1,20}){1,4}(?![a-z_])")
_CLASS: Final = re.compile(rf"\b({'|'.join(_CLASSES)})\b")
_WAIT: Final = re.compile(r"retry-after[\"']?\s{0,20}[:=,]\s{0,20}[\"']?([0-9]{1,6})\b", re.IGNORECASE)
_PAGE: Final = re.compile(r"<(?:!doctype html|html)\b", re.IGNORECASE)
_OTHERS: Final = re.compile(r"platform\.openai\.com|console\.anthropic\.com|aistudio\.google\.com", re.IGNORECASE)


class PastedError(Struct, frozen=True):
    """`code`: ours; None: it cannot be told. `message`: its own, as far as it stands there."""

    code: str | None
    status: int | None
    message: str
    request_id: str | None
    retry_after: int | None


def read_error(text: str) -> PastedError:
    """Names and values are found where they stand, whatever wrote them: JSON, Python and Node print them alike."""
    text = text[:ERROR_MAX].replace('\\"', '"')
    status = status_in(text) or next((int(found[1]) for one in _STATUS if (found := one.search(text))), None)
    named = _CLASS.search(text)
    if status is None and named is not None:
        status = _CLASSES[named[1]]
    said = _MESSAGE.search(text)
    message = next((one for one in said.groups() if one), "") if said else ""
    codes = [*_CODE.findall(text), *_DOCS.findall(text)]
    words = _WORD.findall(text) if not codes else []
    codes += [word for word in words if word in STATUS_OF]
    kinds = _KIND.findall(text)
    found, wait = _ID.search(text), _WAIT.search(text)
    return PastedError(
        code=code_of(codes, kinds, status, message or text[:2_000]) if codes or kinds or status or said else None,
        status=status,
        message=message,
        request_id=found[0] if found else None,
        retry_after=int(wait[1]) if wait else None,
    )


def judge_error(text: str, public_url: str) -> ChecklistStep:
    """The step for what was pasted; empty: nothing was."""
    if not text.strip():
        return not_run("error_body", Phrase("No error was given."))
    error = read_error(text)
    if error.code is None or _PAGE.search(text):
        local = local_trouble(text[:ERROR_MAX])
        if local is not None:
            return red("error_body", local, error.request_id)
    if error.code is None:
        return _untold(text, error)
    if _OTHERS.search(text):
        reason = Phrase("Another service wrote this error (`%(code)s`): the call did not come here.", code=error.code)
        cure = Phrase(
            "Set the base URL of this platform where the library is made, and look which variable sets another."
        )
        return red("error_body", Trouble(reason, cure, error.code))
    return red("error_body", _told(error), error.request_id)


def trouble_of(code: str, status: int) -> Trouble | None:
    """What a code of ours means, and its cure; None: it is none."""
    return _told(PastedError(code, status, "", None, None)) if code in STATUS_OF else None


def _told(error: PastedError) -> Trouble:
    code = error.code or ""
    status = error.status if error.status is not None and words_of(code, error.status) else STATUS_OF[code]
    words = words_of(code, status)
    assert words is not None  # a test compares the words with the tree of failures
    reason = Phrase("`%(code)s`: %(happened)s.", code=code, happened=Phrase(words.happened))
    if error.message:
        reason = Phrase(
            "`%(code)s`: %(happened)s. The message: %(message)s", code=code, happened=Phrase(words.happened),
            message=error.message[:400],
        )  # fmt: skip
    if error.retry_after is not None and words.cure.startswith("wait"):
        cure = Phrase(
            "Wait %(seconds)s s as `Retry-After` says, then try again with growing pauses.", seconds=error.retry_after
        )
    else:
        cure = Phrase("%(cure)s.", cure=Phrase(words.cure))
    return Trouble(reason, cure, code)


def _untold(text: str, error: PastedError) -> ChecklistStep:
    if error.request_id is not None:
        reason = Phrase("This is the id of a request. Its receipt tells how it ended.")
        return ChecklistStep(id="error_body", state="not_run", reason=reason, cure="", request_id=error.request_id)
    reason = Phrase("No error of this platform or of a known library stands in this text.")
    return not_run("error_body", reason)
