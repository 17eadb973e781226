"""The codecs of the Gemini format."""

from functools import partial
from typing import Final

from msgspec import structs

from tollhouse.core.codec import Codec, StreamCodec, TokenCountCodec
from tollhouse.core.failure import Failure
from tollhouse.core.quoted import stands_in
from tollhouse.core.words import FormatWords
from tollhouse.formats.gemini import answer, content_stream, embeddings, failure, request
from tollhouse.formats.gemini.gathering import GatheredContent
from tollhouse.formats.gemini.input_bounds import input_bounds, prompt_of
from tollhouse.formats.gemini.signatures import OWN
from tollhouse.formats.gemini.words import vectors
from tollhouse.formats.gemini.words.read_reply import read_reply
from tollhouse.formats.gemini.words.read_request import read_request
from tollhouse.formats.gemini.words.read_stream import ContentReader
from tollhouse.formats.gemini.words.write_reply import write_reply
from tollhouse.formats.gemini.words.write_request import SAYS, TAKES_NAMES, write_request
from tollhouse.formats.gemini.words.write_stream import ContentWriter


def _error_event(broken: Failure, request_id: str, sequence_number: int) -> bytes:
    return failure.event(broken, request_id)


def _count_body(tokens: int) -> bytes:
    return b'{"totalTokens":%d}' % tokens


_STREAMS: Final = StreamCodec(
    relay=partial(content_stream.open_stream, "events"),
    gather=GatheredContent,
    unfold=content_stream.unfold,
    error_event=_error_event,
    keepalive=b"\r\n",  # its clients do not read comments
    loop_bytes=16 * 1024,
)
_WORDS: Final = FormatWords(
    title="Gemini",
    says=SAYS,
    takes_names=TAKES_NAMES,
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    read_stream=ContentReader,
    write_stream=ContentWriter,
)
_CONTENT: Final = Codec(
    format="gemini",
    operation="chat",
    wire=OWN,
    generates=True,
    read=request.read,
    input_bounds=input_bounds,
    prompt_of=prompt_of,
    stands_in=stands_in,
    write=request.write,
    read_response=answer.read,
    response_text=answer.response_text,
    with_usage=answer.with_usage,
    fit=answer.fit,
    error_status=failure.status,
    error_body=failure.body,
    cut=answer.cut,
    streams=_STREAMS,
    words=_WORDS,
    counting=TokenCountCodec(read=request.read_counted, body=_count_body),
)
_ARRAY: Final = structs.replace(
    _CONTENT,
    streams=structs.replace(
        _STREAMS,
        relay=partial(content_stream.open_stream, "array"),
        error_event=failure.item,
        content_type=b"application/json; charset=utf-8",
    ),
)
_EMBEDDINGS: Final = Codec(
    format="gemini",
    operation="embeddings",
    wire="gemini_embeddings",
    generates=False,
    read=embeddings.read,
    input_bounds=embeddings.input_bounds,
    prompt_of=embeddings.prompt_of,
    stands_in=stands_in,
    write=embeddings.write,
    read_response=embeddings.read_response,
    response_text=embeddings.response_text,
    with_usage=embeddings.with_usage,
    fit=embeddings.fit,
    error_status=failure.status,
    error_body=failure.body,
    vectors=embeddings.VECTORS,
    vector_words=vectors.WORDS,
)
CODECS: Final = (structs.replace(_CONTENT, framings={"array": _ARRAY}), _EMBEDDINGS)
