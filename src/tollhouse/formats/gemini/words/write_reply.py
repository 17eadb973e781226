"""A whole answer as callers of this format get it, written from core words."""

from collections.abc import Sequence

from tollhouse.core.conversation import Citation, MediaPart, Part, Reasoning, Refusal, TextPart, ToolCall
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.provider_json import Object, encode
from tollhouse.core.reply import Reply, ReplyChoice
from tollhouse.core.words import AnswerContext
from tollhouse.formats.gemini import finish, usage
from tollhouse.formats.gemini.signatures import TOLD_UNSIGNED, is_signed, signature_of
from tollhouse.formats.gemini.words.grounding import write_grounding
from tollhouse.formats.gemini.words.media import write_medium
from tollhouse.formats.gemini.words.probabilities import write_probabilities
from tollhouse.formats.gemini.words.write_contents import arguments_of


def write_reply(reply: Reply, context: AnswerContext) -> bytes:
    body: Object = {"candidates": [_candidate(at, choice) for at, choice in enumerate(reply.choices)]}
    if reply.usage is not None:
        body["usageMetadata"] = usage.write(reply.usage)
    return encode(body | head_of(reply.id, reply.model, context))


def head_of(own_id: str, model: str, context: AnswerContext) -> Object:
    """What an answer, and each event of one, says of itself."""
    return {"modelVersion": model or context.request.model, "responseId": own_id or context.request_id}


def _candidate(at: int, choice: ReplyChoice) -> Object:
    parts = [written for part in choice.parts if (written := write_part(part)) is not None]
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None and not any(map(is_signed, choice.parts)):
        first.setdefault("thoughtSignature", TOLD_UNSIGNED)
    candidate: Object = {"content": {"parts": parts or [{"text": ""}], "role": "model"}}
    if choice.finish is not None:
        candidate["finishReason"] = finish.reason_of(choice.finish)
    candidate["index"] = at
    if grounding := write_grounding(_cited(choice.parts)):
        candidate["groundingMetadata"] = grounding
    if choice.logprobs is not None:
        candidate["logprobsResult"] = write_probabilities(choice.logprobs)
    return candidate


def write_part(part: Part) -> Object | None:
    """A part of an answer; None: it says nothing, or nothing that this format has a place for."""
    if isinstance(part, TextPart | Reasoning):
        said: Object = {"text": part.text}
        if isinstance(part, Reasoning):
            said["thought"] = True
        if part.opaque is not None:
            said["thoughtSignature"] = signature_of(part.opaque)
        return said if part.text or part.opaque is not None else None
    if isinstance(part, Refusal):
        return {"text": part.text} if part.text else None
    if isinstance(part, ToolCall):
        call: Object = {"functionCall": {"id": part.id, "name": part.name, "args": arguments_of(part)}}
        return call if part.opaque is None else {**call, "thoughtSignature": signature_of(part.opaque)}
    if isinstance(part, MediaPart):
        try:
            return write_medium(part)
        except UnsupportedParameter:
            return None
    return None


def _cited(parts: Sequence[Part]) -> list[tuple[str, Sequence[Citation]]]:
    return [(part.text, part.citations) for part in parts if isinstance(part, TextPart) and part.citations]
