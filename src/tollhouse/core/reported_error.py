"""Errors that a provider reports inside a 200, as a body or as an event, turned into failures of ours.

Judged by words and by a status among them, never by the message. Only a refusal of the request itself keeps its reason,
because the caller can act on that. The forms stand in docs/provider-errors.md.
"""

from typing import Final

from tollhouse.core import error_words as words_of
from tollhouse.core.cleaning import NOTHING_KNOWN, Known, clean, hide
from tollhouse.core.error_report import Report, report_of
from tollhouse.core.failure import (
    BadRequest,
    ContentRefused,
    ContextTooLong,
    Failure,
    Original,
    Overloaded,
    UpstreamError,
    UpstreamRefusedKey,
    UpstreamSaturated,
)

_Object = dict[str, object]

_REFUSED_KEY: Final = words_of.BAD_KEY | words_of.EMPTY_ACCOUNT | words_of.NO_PERMISSION
_NOT_THE_REQUESTS: Final = words_of.NOT_THE_REQUESTS | {401, 402, 403, 408, 429}
_CONTEXT: Final = "maximum context length is"
_SAYS_ERROR: Final = ("error", "errors", "detail", "fault", "exception", "error_msg", "error_message", "error_code")
_OF_ERRORS: Final = frozenset({"error", "exception", "fault", "failure"})


def error_in(answer: _Object) -> object:
    """What an answer says went wrong; None where it says nothing of that kind."""
    error = answer.get("error")
    if error:
        return error
    if answer.get("object") == "error" or answer.get("type") == "error":
        return answer
    return None


def error_in_event(event: _Object, name: bytes) -> object:
    """What an event that is no chunk says went wrong; None where it says nothing of that kind."""
    error = error_in(event)
    if error is not None:
        return error
    kind = str(event.get("type") or event.get("object") or name.decode(errors="replace")).lower()
    says_so = any(event.get(member) for member in _SAYS_ERROR) or kind.rpartition(".")[2] in _OF_ERRORS
    status = next((event[one] for one in ("status", "code", "statusCode", "status_code") if one in event), None)
    is_bad_status = type(status) is int and status >= 400
    message = event.get("message", event.get("msg"))
    says_so = says_so or _has_bad_base(event)
    return event if says_so or is_bad_status or (isinstance(message, str) and message) else None


def _has_bad_base(event: _Object) -> bool:
    """MiniMax tells with each event whether all is well."""
    base = event.get("base_resp")
    return isinstance(base, dict) and base.get("status_code") not in (None, 0, "0", "")


def failure_of(error: object, known: Known = NOTHING_KNOWN) -> Failure:
    """The failure that stands for an error object (or text) of a provider. known: tells which of its words stay."""
    report = report_of(error if isinstance(error, dict | list) else {"message": error})
    words, all_words = report.words, report.words | report.quoted
    if all_words & words_of.TOO_LONG:
        return refusal(ContextTooLong, report, _reason(report, known), known)
    if all_words & words_of.POLICY or ("403" in words and not words & _REFUSED_KEY):
        return refusal(ContentRefused, report, _reason(report, known), known)
    if words & _REFUSED_KEY or words & {"401", "402"}:
        return UpstreamRefusedKey("The provider refused this platform's credentials or its account there.")
    if words & words_of.SATURATED or "429" in words:
        return UpstreamSaturated("The provider has reached its rate limit.")
    if words & words_of.OVERLOADED or words & {"503", "529"}:
        return Overloaded("The provider is overloaded.")
    if words & words_of.NO_SUCH_MODEL:
        return UpstreamError("The provider does not serve the model where it was expected.")
    if report.code or all_words & words_of.BAD_REQUEST or any(_blames_the_request(word) for word in words):
        return refusal(BadRequest, report, _reason(report, known), known)
    return UpstreamError("The provider reported an error instead of an answer.")


def told(error: object, known: Known = NOTHING_KNOWN) -> _Object:
    """The error of a response that failed, in the provider's own last event, as the caller may read it."""
    failure = failure_of(error, known)
    report = report_of(error if isinstance(error, dict | list) else {"message": error})
    reason = "" if isinstance(failure, UpstreamRefusedKey) else clean(report.message, known)
    message = reason or failure.message
    code = "rate_limit_exceeded" if isinstance(failure, UpstreamSaturated) else report.code or "server_error"
    return {"code": code, "message": message}


def refusal(kind: type[BadRequest], report: Report, reason: str, known: Known = NOTHING_KNOWN) -> BadRequest:
    """A refusal of the request, with what of the report stays."""
    if kind is ContextTooLong and _CONTEXT not in reason:
        reason = f"This model's {_CONTEXT} exceeded: {reason}"  # clients look for these words
    members = {name: _hidden(value, known) for name, value in report.members.items()}
    original = Original(None if kind is ContextTooLong else report.code, members)
    stays = original.code is not None or bool(original.members)
    return kind(reason, param=blamed(report, known), original=original if stays else None)


def blamed(report: Report, known: Known = NOTHING_KNOWN) -> str | None:
    """The field to blame, if it reads like one."""
    param = report.param
    return param if param and len(param) <= 128 and clean(param, known) == param else None


def _blames_the_request(word: str) -> bool:
    return word.isdecimal() and len(word) == 3 and 400 <= int(word) < 500 and int(word) not in _NOT_THE_REQUESTS


def _hidden(value: object, known: Known) -> object:
    return hide(value, known) if isinstance(value, str) else value


def _reason(report: Report, known: Known) -> str:
    if not report.message:
        return "The provider refused the request without a reason."
    reason = clean(report.message, known)
    return f"The provider refused the request: {reason}" if reason else "The provider refused the request."
