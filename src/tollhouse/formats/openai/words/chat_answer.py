"""A whole chat answer as callers of this format get it, written from core words."""

from collections.abc import Sequence

from tollhouse.core.conversation import Citation, MediaPart, Opaque, Reasoning, Refusal, TextPart, ToolCall
from tollhouse.core.opaque import id_with
from tollhouse.core.provider_json import json_object
from tollhouse.core.reply import Reply, ReplyChoice, TokenProbability
from tollhouse.core.words import AnswerContext
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.usage import write_chat
from tollhouse.formats.openai.words import finish
from tollhouse.formats.openai.words.caller_tools import is_legacy, takes_text
from tollhouse.formats.openai.words.citations import as_url_citation
from tollhouse.formats.openai.words.json_text import input_of
from tollhouse.formats.openai.words.media import url_of
from tollhouse.formats.openai.words.reasoning import OWN, details_of

Object = dict[str, object]


def write_reply(reply: Reply, context: AnswerContext) -> bytes:
    body: Object = {
        "id": answer_id(reply.id, context),
        "object": "chat.completion",
        "created": reply.created or context.created,
        "model": reply.model or context.request.model,
        "choices": [_choice(at, choice, context) for at, choice in enumerate(reply.choices)],
    }
    if reply.usage is not None:
        body["usage"] = write_chat(reply.usage)
    return chunks.encode(body)


def answer_id(own: str, context: AnswerContext, prefix: str = "chatcmpl-") -> str:
    """The id of an answer: the provider's, with the prefix that this format has."""
    own = own or context.request_id
    return own if own.startswith(prefix) else prefix + own


def _choice(at: int, choice: ReplyChoice, context: AnswerContext) -> Object:
    calls, refuses = finish.holds(choice.parts)
    message = _message(choice, context)
    legacy = "function_call" in message
    return {
        "index": at,
        "message": message,
        "logprobs": None if choice.logprobs is None else probabilities(choice.logprobs),
        "finish_reason": finish.reason_of(choice.finish, calls=calls, refuses=refuses, legacy=legacy),
    }


def _message(choice: ReplyChoice, context: AnswerContext) -> Object:
    content, refusal, thoughts = "", "", ""
    legacy: Object | None = None
    details: list[Object] = []
    images: list[Object] = []
    calls: list[Object] = []
    annotations: list[Object] = []
    for part in choice.parts:
        if isinstance(part, TextPart):
            annotations += [annotation(one, len(content)) for one in part.citations if one.url]
            content += part.text
        elif isinstance(part, Refusal):
            refusal += part.text
        elif isinstance(part, Reasoning):
            thoughts += part.text
            details += details_of(part.opaque, part.text, is_hidden=not part.text)
        elif isinstance(part, ToolCall) and is_legacy(part.name, context.request.stand_ins):
            legacy = legacy or {"name": part.name, "arguments": part.arguments or "{}"}
        elif isinstance(part, ToolCall):
            calls.append(call(part, context))
        elif isinstance(part, MediaPart) and part.kind == "image":
            images.append(image(part, len(images)))
    message: Object = {"role": "assistant", "content": content, "refusal": refusal or None}
    if not content and (calls or legacy or refusal):
        message["content"] = None
    if thoughts:
        message["reasoning_content"] = thoughts
    if details:
        message["reasoning_details"] = details
    if annotations:
        message["annotations"] = annotations
    if images:
        message["images"] = images
    if calls:
        message["tool_calls"] = calls
    if legacy is not None:
        message["function_call"] = legacy
    return message


def call(part: ToolCall, context: AnswerContext) -> Object:
    """A call, with what belongs to it in its id. One of a function that stands for a tool which takes text is a call of
    that tool."""
    said: Object = {"id": id_with(part.id, foreign(part))}
    if part.is_custom or takes_text(part.name, context.request.stand_ins):
        text = part.arguments if part.is_custom else input_of(part.arguments)
        return said | {"type": "custom", "custom": {"name": part.name, "input": text}}
    return (
        said
        | {"type": "function", "function": {"name": part.name, "arguments": part.arguments or "{}"}}
        | own_extra(part)
    )


def foreign(part: ToolCall) -> Opaque | None:
    """What a call carries in its id: that of another format's maker."""
    return part.opaque if part.opaque is not None and part.opaque.format != OWN else None


def own_extra(part: ToolCall) -> Object:
    if part.opaque is None or part.opaque.format != OWN:
        return {}
    kept = json_object(part.opaque.data)
    return {"extra_content": kept} if kept else {}


def image(part: MediaPart, at: int) -> Object:
    return {"type": "image_url", "index": at, "image_url": {"url": url_of(part)}}


def annotation(citation: Citation, offset: int) -> Object:
    """offset: characters of the answer before the text that cites."""
    page = as_url_citation(citation) or {}
    for name in ("start_index", "end_index"):
        place = page[name]
        page[name] = place + offset if isinstance(place, int) else offset
    return {"type": "url_citation", "url_citation": page}


def probabilities(tokens: Sequence[TokenProbability]) -> Object:
    told = [_probability(one) | {"top_logprobs": list(map(_probability, one.top))} for one in tokens]
    return {"content": told, "refusal": None}


def _probability(one: TokenProbability) -> Object:
    return {"token": one.token, "logprob": one.logprob, "bytes": one.bytes}
