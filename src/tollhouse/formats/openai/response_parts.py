"""The table of what a `/v1/responses` stream says in pieces, and where in an item each piece belongs.

Read by `response_items`, which puts pieces together, and by `response_unfold`, which takes items apart.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

ITEMS_MAX: Final = 1024
"""Of one response, and parts of one item."""
PARTS_MAX: Final = 16 * ITEMS_MAX
"""Of one response."""


class Piece(NamedTuple):
    """Where the pieces of a kind belong: in the part of `list` that the event's `number` tells, or, without a list, in
    the item itself; there under `member` (of `operation` or so, where a dot says so)."""

    member: str
    list: str = ""
    number: str = ""
    part: str = ""  # the type of the part

    @property
    def whole(self) -> str:
        """The member of a `done` event that repeats all of it."""
        return "command" if self.member == "commands" else self.member.rpartition(".")[2]


_AUDIO: Final = Piece("data", "content", "content_index", "output_audio")
_TRANSCRIPT: Final = Piece("transcript", "content", "content_index", "output_audio")
_REASONING: Final = Piece("text", "content", "content_index", "reasoning_text")
_SUMMARY: Final = Piece("text", "summary", "summary_index", "summary_text")
_CODE: Final = Piece("code")

PIECES: Final[Mapping[str, Piece]] = {
    "output_text": Piece("text", "content", "content_index", "output_text"),
    "refusal": Piece("refusal", "content", "content_index", "refusal"),
    "reasoning_text": _REASONING,
    "reasoning": _REASONING,
    "reasoning_summary_text": _SUMMARY,
    "reasoning_summary": _SUMMARY,
    "audio": _AUDIO,
    "output_audio": _AUDIO,
    "audio.transcript": _TRANSCRIPT,
    "output_audio_transcript": _TRANSCRIPT,
    "function_call_arguments": Piece("arguments"),
    "mcp_call_arguments": Piece("arguments"),
    "mcp_call.arguments": Piece("arguments"),
    "custom_tool_call_input": Piece("input"),
    "code_interpreter_call_code": _CODE,
    "code_interpreter_call.code": _CODE,
    "apply_patch_call_operation_diff": Piece("operation.diff"),
    "shell_call_command": Piece("commands", "action.commands", "command_index"),
}
"""By the kind of an event, without `response.` and its last step (`delta`, `done`); older names besides."""

OF_ITEMS: Final[Mapping[str, str]] = {
    "function_call": "function_call_arguments",
    "mcp_call": "mcp_call_arguments",
    "custom_tool_call": "custom_tool_call_input",
    "code_interpreter_call": "code_interpreter_call_code",
    "apply_patch_call": "apply_patch_call_operation_diff",
}
"""The text of an item itself, by its type."""

OF_PARTS: Final[Mapping[str, str]] = {
    "output_text": "output_text",
    "refusal": "refusal",
    "reasoning_text": "reasoning_text",
    "summary_text": "reasoning_summary_text",
}
"""The text of a part, by its type."""

STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "web_search_call": ("in_progress", "searching"),
    "file_search_call": ("in_progress", "searching"),
    "code_interpreter_call": ("in_progress", "interpreting"),
    "image_generation_call": ("in_progress", "generating"),
    "mcp_call": ("in_progress",),
    "mcp_list_tools": ("in_progress",),
}
"""What a provider's own tool goes through before it is `completed` or `failed`, by the type of its item."""
