"""Why a message ended, in the words of this format and in core words."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tollhouse.core.reply import Finish

_READ: Final[Mapping[str, Finish]] = MappingProxyType(
    {
        "end_turn": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "stop_sequence": "stop_sequence",
        "tool_use": "tool_calls",
        "pause_turn": "pause",
        "refusal": "refusal",
    }
)
_WRITTEN: Final[Mapping[Finish, str]] = MappingProxyType(
    {
        "stop": "end_turn",
        "length": "max_tokens",
        "stop_sequence": "stop_sequence",
        "tool_calls": "tool_use",
        "content_filter": "refusal",
        "refusal": "refusal",
        "pause": "pause_turn",
    }
)


def read(reason: str, *, only_answers: bool) -> Finish:
    """A reason that is not known is an end like any other. only_answers: the one tool that the model called is that by
    which it answers (`formats.anthropic.answer_tool`)."""
    found = _READ.get(reason, "stop")
    return "stop" if found == "tool_calls" and only_answers else found


def written(finish: Finish | None, *, calls: bool) -> str:
    """calls: the message calls tools, which some servers tell by no reason of its own."""
    if calls and finish in (None, "stop"):
        return "tool_use"
    return "end_turn" if finish is None else _WRITTEN[finish]
