"""The response object around the items of an answer: what the caller asked for is repeated in it."""

from collections.abc import Mapping
from typing import Final

from msgspec import Raw

from tollhouse.core import half_pairs
from tollhouse.core.conversation import Citation
from tollhouse.core.reply import Began, Finish, TokenProbability
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext
from tollhouse.formats.openai.chunk import decode
from tollhouse.formats.openai.usage import write_response
from tollhouse.formats.openai.words.chat_answer import answer_id
from tollhouse.formats.openai.words.citations import as_url_citation

Object = dict[str, object]

_REPEATED: Final[Mapping[str, object]] = {
    "instructions": None,
    "max_output_tokens": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": False,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
    "metadata": {},
}
"""Members of a request that its response says again, and what it says where the caller did not name them."""
_IF_ASKED: Final = ("max_tool_calls", "top_logprobs", "prompt_cache_key", "safety_identifier", "service_tier")
_CUT: Final[Mapping[Finish, str]] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}


def head_of(event: Began, context: AnswerContext) -> Object:
    """What of a response stays as it is. `incomplete_details`, `output`, `status` and `usage` come later."""
    head: Object = {
        "id": answer_id(event.id, context, "resp_"),
        "object": "response",
        "created_at": event.created or context.created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": event.model or context.request.model,
        "output": [],
        "usage": None,
    }
    asked = context.request.members if context.request.operation == "responses" else {}
    for name, usual in _REPEATED.items():
        head[name] = _repeated(asked.get(name), usual, has_halves=context.request.has_halves)
    for name in _IF_ASKED:
        if name in asked:
            head[name] = _repeated(asked[name], None, has_halves=context.request.has_halves)
    return head


def _repeated(raw: Raw | None, usual: object, *, has_halves: bool) -> object:
    """A member as it came, on one line: an event is one."""
    if raw is None or bytes(memoryview(raw)[:5]) == b"null":
        return usual
    body = bytes(raw)
    if b"\n" in body or b"\r" in body:
        body = body.replace(b"\n", b" ").replace(b"\r", b" ")
    if has_halves:
        body = half_pairs.replace_hidden(body)
    return {**usual, **decode(body)} if isinstance(usual, dict) and usual and body[:1] == b"{" else Raw(body)


def status_of(finish: Finish | None, *, refuses: bool) -> str:
    """A refusal in words of its own is an answer that is complete."""
    return "incomplete" if finish in _CUT and not (finish == "refusal" and refuses) else "completed"


def finished(
    head: Object, output: list[Object], finish: Finish | None, usage: Usage | None, *, refuses: bool
) -> tuple[str, Object]:
    """The status of a response, and the response."""
    status = status_of(finish, refuses=refuses)
    details = {"reason": _CUT[finish]} if finish is not None and status == "incomplete" else None
    said = None if usage is None else write_response(usage)
    return status, {**head, "status": status, "incomplete_details": details, "output": output, "usage": said}


def annotation_of(citation: Citation) -> Object | None:
    page = as_url_citation(citation)
    return None if page is None else {"type": "url_citation", **page}


def probabilities(tokens: list[TokenProbability]) -> list[Object]:
    return [_probability(one) | {"top_logprobs": list(map(_probability, one.top))} for one in tokens]


def _probability(one: TokenProbability) -> Object:
    return {"token": one.token, "logprob": one.logprob, "bytes": one.bytes or []}
