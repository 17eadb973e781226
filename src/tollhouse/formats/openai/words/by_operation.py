"""The words of each operation that is a conversation, as data."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from tollhouse.core.operation import Operation
from tollhouse.core.words import FormatWords
from tollhouse.formats.openai.words import (
    chat_answer,
    chat_body,
    chat_reply,
    chat_request,
    completion_answer,
    completion_request,
    response_body,
    response_reply,
    response_request,
)
from tollhouse.formats.openai.words.chat_chunks import ChatWriter
from tollhouse.formats.openai.words.chat_events import ChatReader
from tollhouse.formats.openai.words.completion_answer import CompletionWriter
from tollhouse.formats.openai.words.response_events import ResponseReader
from tollhouse.formats.openai.words.response_writer import ResponseWriter, write_reply

WORDS: Final[Mapping[Operation, FormatWords]] = MappingProxyType(
    {
        "chat": FormatWords(
            title="OpenAI's chat completions",
            says=chat_body.SAYS,
            read_request=chat_request.read_request,
            write_request=chat_body.write_request,
            read_reply=partial(chat_reply.read_reply, "chat"),
            write_reply=chat_answer.write_reply,
            read_stream=ChatReader,
            write_stream=ChatWriter,
        ),
        "completions": FormatWords(
            title="OpenAI's completions",
            says=frozenset(),
            read_request=completion_request.read_request,
            write_request=completion_request.write_request,
            read_reply=partial(chat_reply.read_reply, "completions"),
            write_reply=completion_answer.write_reply,
            read_stream=ChatReader,
            write_stream=CompletionWriter,
        ),
        "responses": FormatWords(
            title="OpenAI's responses",
            says=response_body.SAYS,
            read_request=response_request.read_request,
            write_request=response_body.write_request,
            read_reply=response_reply.read_reply,
            write_reply=write_reply,
            read_stream=ResponseReader,
            write_stream=ResponseWriter,
        ),
    }
)
