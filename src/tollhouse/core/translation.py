"""A call whose formats differ: asked in one, sent to a provider in another, answered in the first (or in a third, where
the caller chose a style).

What comes of it is a `Codec` like any other. A provider's answer is written anew as if a provider of the caller's
format had sent it; then the caller's own codec reads it. So holding back, cutting, counting and charging are the same
for all, and exist once a format. Usage is the exception: it is what the provider's own format read.

The way of a request is here, from `translated` down: read into core words, put in order for the provider's format,
written. That of its answer is in `core.translated_answer`.
"""

from collections.abc import Mapping
from functools import partial
from pickle import PickleBuffer
from typing import cast

from msgspec import Struct, structs

from tollhouse.core.asked_media import show_media
from tollhouse.core.call_arguments import open_arguments
from tollhouse.core.codec import Codec
from tollhouse.core.conversation import Conversation, Reasoning, ToolCall, stand_ins
from tollhouse.core.failure import UnsupportedParameter
from tollhouse.core.features import note, untold
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.pairing import pair_calls
from tollhouse.core.tool_names import fit_names
from tollhouse.core.translated_answer import TranslatedGathering, TranslatedRelay, read_translated
from tollhouse.core.upstream import Buffer
from tollhouse.core.vector_translation import can_translate_vectors, translated_vectors, write_vectors
from tollhouse.core.words import AnswerContext


def can_translate(asked: Codec, outbound: Codec, answer: Codec) -> bool:
    """Whether a call can be asked, sent and answered in these formats."""
    same = asked is outbound is answer
    if asked is answer and can_translate_vectors(asked, outbound):
        return True
    return same or (asked.words is not None and outbound.words is not None and answer.words is not None)


def translated(asked: Codec, outbound: Codec, answer: Codec, context: AnswerContext) -> Codec:
    """The codec of a call. asked: of the request. outbound: of the provider. answer: of what the caller gets.

    Where a stream is asked for, an answer in one piece is only read: it is unfolded, and its events are translated.
    """
    if asked is not outbound and can_translate_vectors(asked, outbound):
        return translated_vectors(asked, outbound, context)
    codec = answer
    if asked is not outbound:
        codec = structs.replace(codec, write=partial(_write, asked, outbound))
    elif asked is not answer:
        codec = structs.replace(codec, write=asked.write)
    if outbound is answer:
        return codec
    assert answer.streams is not None
    assert outbound.streams is not None
    assert answer.words is not None
    assert outbound.words is not None
    says, tells = outbound.words, answer.words
    streams = structs.replace(
        answer.streams,
        relay=partial(TranslatedRelay, says, tells, context, answer.streams.relay),
        gather=partial(TranslatedGathering, says, tells, context, answer.streams.gather),
        unfold=outbound.streams.unfold,
    )
    read = outbound.read_response if context.request.stream else partial(read_translated, says, answer, context)
    return structs.replace(codec, read_response=read, streams=streams)


def conversation_of(request: ModelRequest, asked: Codec, outbound: Codec) -> Conversation:
    """A request in core words, for a provider of another format. What that one cannot say is noted in `request.untold`,
    names of tools that it does not take in `request.renamed`, and functions whose calls come back as those of other
    tools in `request.stand_ins`.

    Raises BadRequest, UnsupportedParameter.
    """
    assert asked.words is not None
    assert outbound.words is not None
    conversation = asked.words.read_request(request)
    pair_calls(conversation)
    open_arguments(conversation)
    show_media(conversation)
    conversation.tools = list({tool.name: tool for tool in conversation.tools}.values())  # two of one name are refused
    request.stand_ins = stand_ins(conversation)
    _note_foreign(conversation, outbound.wire)
    request.untold = untold(conversation, outbound.words.says, outbound.words.title)
    request.renamed = fit_names(conversation, outbound.words.takes_names)
    if request.tier and request.tier != conversation.service_tier:  # only what is passed on is paid for
        param, title = request.tier_param, outbound.words.title
        raise UnsupportedParameter(
            f"'{param}' has a price of its own here, and the provider of this model is asked in the format of {title}, "
            "which cannot say it.",
            param=param,
        )
    return conversation


def _note_foreign(conversation: Conversation, wire: str) -> None:
    """Thoughts that the provider's format did not make cannot be read there."""
    for message in conversation.messages:
        for part in message.parts:
            if isinstance(part, Reasoning | ToolCall) and part.opaque is not None and part.opaque.format != wire:
                note(conversation, "reasoning_of_others", message.path)
                break


class WrittenApart(Struct):
    """A body that another process wrote, what could not be said in it, the callers' names of tools by its own, and
    which of its functions stand for other tools."""

    body: bytes
    untold: tuple[str, ...]
    renamed: dict[str, str]
    stand_ins: Mapping[str, str]


def write_apart(
    body: bytes,
    asked: Codec,
    outbound: Codec,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...],
    others: bool,
    added_cap: int | None,
    longest_answer: int | None,
) -> WrittenApart:
    """Read a request in the process that has it, and write it in the other format. Raises what `translated` raises."""
    request = asked.read(body)
    request.longest_answer = longest_answer
    write = write_vectors if can_translate_vectors(asked, outbound) else _write
    (written,) = write(
        asked,
        outbound,
        request,
        model=model,
        stream=stream,
        include_usage=include_usage,
        caps=caps,
        others=others,
        added_cap=added_cap,
    )
    return WrittenApart(cast(bytes, PickleBuffer(written)), request.untold, request.renamed, request.stand_ins)


def _write(
    asked: Codec,
    outbound: Codec,
    request: ModelRequest,
    /,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
    added_cap: int | None = None,
) -> list[Buffer]:
    """See `core.codec.WriteRequest`."""
    assert outbound.words is not None
    conversation = conversation_of(request, asked, outbound)
    cap, longest = added_cap if request.output_cap is None else request.output_cap, request.longest_answer
    conversation.output_cap = cap if cap is None or longest is None else min(cap, longest)
    conversation.longest_answer = longest
    body = outbound.words.write_request(
        conversation, model=model, stream=stream, include_usage=include_usage, caps=caps, others=others
    )
    request.untold = tuple(dict.fromkeys((*request.untold, *conversation.left_out)))
    return [body]
