"""A legacy completion as callers of this format get it, whole and as a stream, written from core words. It is text:
thoughts, calls and pictures have no place in it."""

from collections.abc import Sequence

from tollhouse.core.conversation import Refusal, TextPart
from tollhouse.core.reply import (
    Began,
    Finish,
    Finished,
    PartBegan,
    Reply,
    ReplyChoice,
    ReplyEvent,
    StreamEnded,
    TextAdded,
    TokenProbability,
    UsageTold,
)
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.usage import write_chat
from tollhouse.formats.openai.words import finish
from tollhouse.formats.openai.words.chat_answer import answer_id

Object = dict[str, object]


def write_reply(reply: Reply, context: AnswerContext) -> bytes:
    body = _head(Began(id=reply.id, model=reply.model, created=reply.created), context)
    body["choices"] = [_choice(at, choice) for at, choice in enumerate(reply.choices)]
    if reply.usage is not None:
        body["usage"] = write_chat(reply.usage)
    return chunks.encode(body)


def _head(event: Began, context: AnswerContext) -> Object:
    return {
        "id": answer_id(event.id, context, "cmpl-"),
        "object": "text_completion",
        "created": event.created or context.created,
        "model": event.model or context.request.model,
    }


def _choice(at: int, choice: ReplyChoice) -> Object:
    text = "".join(part.text for part in choice.parts if isinstance(part, TextPart | Refusal))
    told = None if choice.logprobs is None else probabilities(choice.logprobs, 0)
    return {"text": text, "index": at, "logprobs": told, "finish_reason": _reason(choice.finish)}


def _reason(ended: Finish | None) -> str | None:
    return finish.reason_of(ended, calls=False, refuses=False) if ended != "tool_calls" else "stop"


def probabilities(tokens: Sequence[TokenProbability], offset: int) -> Object:
    """offset: characters of the text before these tokens."""
    offsets = []
    for one in tokens:
        offsets.append(offset)
        offset += len(one.token)
    return {
        "tokens": [one.token for one in tokens],
        "token_logprobs": [one.logprob for one in tokens],
        "top_logprobs": [{other.token: other.logprob for other in one.top} for one in tokens],
        "text_offset": offsets,
    }


class CompletionWriter:
    """See `core.words.ReplyWriter`."""

    __slots__ = ("_context", "_head", "_said", "_texts", "_usage")

    def __init__(self, context: AnswerContext) -> None:
        self._context = context
        self._head: Object = {}
        self._texts: set[tuple[int, int]] = set()  # parts that are text, by choice and index
        self._said: dict[int, int] = {}  # characters, by choice
        self._usage: Usage | None = None

    def write(self, event: ReplyEvent, /) -> bytes:
        if isinstance(event, TextAdded):
            if (event.choice, event.index) not in self._texts:
                return b""
            offset = self._said.get(event.choice, 0)
            self._said[event.choice] = offset + len(event.text)
            told = probabilities(event.logprobs, offset) if event.logprobs else None
            return self._chunk(event.choice, event.text, told, None)
        if isinstance(event, PartBegan):
            if isinstance(event.part, TextPart | Refusal):
                self._texts.add((event.choice, event.index))
        elif isinstance(event, Began):
            self._head, self._usage = _head(event, self._context), event.usage
        elif isinstance(event, UsageTold):
            self._usage = event.usage
        elif isinstance(event, Finished):
            return self._chunk(event.choice, "", None, _reason(event.finish))
        elif isinstance(event, StreamEnded):
            return self._end()
        return b""

    def _chunk(self, choice: int, text: str, told: Object | None, reason: str | None) -> bytes:
        self._head = self._head or _head(Began(), self._context)
        one: Object = {"text": text, "index": choice, "logprobs": told, "finish_reason": reason}
        return b"data: %b\n\n" % chunks.encode({**self._head, "choices": [one]})

    def _end(self) -> bytes:
        if self._usage is None:
            return chunks.DONE
        last = {**self._head, "choices": [], "usage": write_chat(self._usage)}
        return b"data: %b\n\n" % chunks.encode(last) + chunks.DONE
