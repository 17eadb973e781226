"""The words of each operation that is a conversation, as data."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tollhouse.core.operation import Operation
from tollhouse.core.words import FormatWords
from tollhouse.formats.openai.words import chat_answer, chat_body, chat_reply, chat_request
from tollhouse.formats.openai.words.chat_chunks import ChatWriter
from tollhouse.formats.openai.words.chat_events import ChatReader
from tollhouse.formats.openai.words.requested_tools import custom_tools

WORDS: Final[Mapping[Operation, FormatWords]] = MappingProxyType(
    {
        "chat": FormatWords(
            title="OpenAI's chat completions",
            says=chat_body.SAYS,
            read_request=chat_request.read_request,
            write_request=chat_body.write_request,
            read_reply=chat_reply.read_reply,
            write_reply=chat_answer.write_reply,
            read_stream=ChatReader,
            write_stream=ChatWriter,
            custom_tools=custom_tools,
        ),
    }
)
