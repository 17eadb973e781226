"""How a choice ends, by any name and in any form that servers have for it.

A reason that says nothing (`""`, `"null"`, `false`) is no end. One that is no text is told as text: the name within an
object (SGLang's `{"type": "stop"}`), else `stop`. One that names a failure of the provider's is that failure, also
where it stands as `native_finish_reason` beside a harmless one (OpenRouter).
"""

from typing import Final

from tollhouse.core.failure import UpstreamError

_Object = dict[str, object]

USUAL: Final = frozenset(("stop", "length", "tool_calls", "function_call", "content_filter"))
_NO_END: Final = frozenset(("", "null", "none", "undefined", "nil", "finish_reason_unspecified"))
_FAILED: Final = frozenset(
    (
        *("error", "networkerror", "insufficientsystemresource", "servererror", "internalerror"),
        *("providererror", "upstreamerror", "abort", "aborted", "timeout", "modelerror", "malformedmodeloutput"),
        *("failed", "cancelled", "canceled"),
    )
)
"""OpenRouter's, Zhipu's, DeepSeek's, vLLM's, and their like: the answer did not end, its making did."""
_CUT: Final = frozenset(
    (
        *("length", "maxtokens", "maxlength", "modellength", "maxoutputtokens", "modelcontextwindowexceeded"),
        *("maxnewtokens", "maxoutputreached", "maxtokensreached", "tokenlimit", "errorlimit", "contextlength"),
        *("contextwindowexceeded", "truncated", "repetitiontruncation"),
    )
)
"""Also MiMo's, who ends an answer that repeats itself: it is not all of it."""


def finish_of(choice: _Object) -> str | None:
    """Why a choice ended; None while it goes on. Raises UpstreamError where it ended because its provider failed."""
    reason = choice.get("finish_reason")
    if reason is None:
        return None
    said = told(reason)
    if said is None:
        return None
    native = choice.get("native_finish_reason")
    if (said not in USUAL and folded(said) in _FAILED) or (isinstance(native, str) and folded(native) in _FAILED):
        raise UpstreamError("The provider ended its answer with an error.")
    return said


def told(reason: object) -> str | None:
    """A reason as callers are told it."""
    if isinstance(reason, dict):
        named = (reason.get(name) for name in ("type", "reason", "name"))
        reason = next((one for one in named if isinstance(one, str)), bool(reason))
    if isinstance(reason, str):
        return None if reason.strip().lower() in _NO_END else reason
    return "stop" if reason else None


def is_cut(reason: str | None) -> bool:
    """Whether the answer was cut at its length."""
    return reason == "length" or (reason is not None and reason not in USUAL and folded(reason) in _CUT)


def folded(reason: str) -> str:
    """Servers spell `max_tokens` as `MAX_TOKENS`, `max-tokens` and `maxTokens`."""
    return reason.lower() if reason.isalpha() else "".join(filter(str.isalnum, reason)).lower()


def rewrite(choices: list[_Object]) -> bool:
    """Write reasons as callers are told them, who take any text for an end. True: there was one to write."""
    rewritten = False
    for choice in choices:
        reason = choice.get("finish_reason")
        if reason is not None and (type(reason) is not str or reason not in USUAL):
            said = told(reason)
            rewritten = rewritten or said != reason
            choice["finish_reason"] = said
    return rewritten
