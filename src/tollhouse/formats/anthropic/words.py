"""How messages are translated to and from other formats."""

from typing import Final

from tollhouse.core.words import FormatWords
from tollhouse.formats.anthropic.event_reader import MessageReader
from tollhouse.formats.anthropic.event_writer import MessageWriter
from tollhouse.formats.anthropic.reply_reader import read_reply
from tollhouse.formats.anthropic.reply_writer import write_reply
from tollhouse.formats.anthropic.request_reader import read_request
from tollhouse.formats.anthropic.request_writer import write_request

WORDS: Final = FormatWords(
    title="Anthropic Messages",
    says=frozenset(
        (
            *("images", "image_urls", "files", "file_urls", "file_ids", "tool_result_media", "tool_errors"),
            *("cache_marks", "citations", "tools", "custom_tools", "tool_choice_named", "parallel_tool_calls"),
            "tool_choice_several",
            *("json_object", "json_schema", "stop", "stop_many", "top_k", "reasoning", "reasoning_off", "user"),
        )
    ),
    read_request=read_request,
    write_request=write_request,
    read_reply=read_reply,
    write_reply=write_reply,
    read_stream=MessageReader,
    write_stream=MessageWriter,
)
