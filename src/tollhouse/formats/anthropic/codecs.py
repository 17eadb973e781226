"""The codecs of the Anthropic format: messages."""

from typing import Final

from tollhouse.core.cleaning import Known
from tollhouse.core.codec import Codec, CountTokens, StreamCodec, TokenCountCodec
from tollhouse.core.failure import Failure
from tollhouse.core.quoted import stands_in
from tollhouse.core.stream_relay import StreamRelay
from tollhouse.formats.anthropic import answer, failure, request
from tollhouse.formats.anthropic.gathering import GatheredMessage
from tollhouse.formats.anthropic.input_bounds import input_bounds, prompt_of
from tollhouse.formats.anthropic.limit_headers import limit_headers
from tollhouse.formats.anthropic.message_stream import MessageStream
from tollhouse.formats.anthropic.unfold import event_of, unfold
from tollhouse.formats.anthropic.wire import WIRE
from tollhouse.formats.anthropic.words import WORDS

KEEPALIVE: Final = event_of(b"ping", b'{"type": "ping"}')


def _open_stream(
    *,
    show_usage: bool,
    count: CountTokens,
    choices: int = 1,
    maximum: int | None = None,
    known: Known,
    echoes: bool = False,
) -> StreamRelay:
    return StreamRelay(MessageStream(show_usage, known), count=count, maximum=maximum)


def _error_event(broken: Failure, request_id: str, sequence_number: int) -> bytes:
    """Events are not numbered."""
    return failure.event(broken, request_id)


def _count_body(tokens: int) -> bytes:
    return b'{"input_tokens":%d}' % tokens


MESSAGES: Final = Codec(
    format="anthropic",
    operation="chat",
    wire=WIRE,
    generates=True,
    read=request.read,
    input_bounds=input_bounds,
    prompt_of=prompt_of,
    stands_in=stands_in,
    write=request.write,
    read_response=answer.read,
    response_text=answer.text,
    with_usage=answer.with_usage,
    fit=answer.fitted,
    error_status=failure.status,
    error_body=failure.body,
    cut=answer.cut,
    streams=StreamCodec(
        relay=_open_stream,
        gather=GatheredMessage,
        unfold=unfold,
        error_event=_error_event,
        keepalive=KEEPALIVE,
        loop_bytes=16 * 1024,
    ),
    limit_headers=limit_headers,
    words=WORDS,
    counting=TokenCountCodec(read=request.read_counted, body=_count_body),
)
CODECS: Final = (MESSAGES,)
