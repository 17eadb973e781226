"""Why an answer ended: the reasons of a chat, in core words and back."""

from typing import Final

from tollhouse.core.conversation import Part, Refusal, ToolCall
from tollhouse.core.reply import Finish
from tollhouse.formats.openai.finish import folded, is_cut

_REASONS: Final[dict[str, Finish]] = {  # folded
    **dict.fromkeys(("toolcalls", "functioncall", "tooluse", "toolcall", "functioncalls"), "tool_calls"),
    **dict.fromkeys(("contentfilter", "contentfiltered", "safety", "sensitive", "recitation"), "content_filter"),
    **dict.fromkeys(("prohibitedcontent", "blocklist", "spii", "imagesafety", "errortoxic"), "content_filter"),
    **dict.fromkeys(("blocked", "guardrailintervened", "contentpolicy", "moderation"), "content_filter"),
    **dict.fromkeys(("stopsequence",), "stop_sequence"),
    **dict.fromkeys(("refusal",), "refusal"),
    **dict.fromkeys(("pauseturn",), "pause"),
}
_TOLD: Final[dict[Finish, str]] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "pause": "stop",
}


def finish_of(reason: str, *, calls: bool, refuses: bool) -> Finish:
    """A provider's reason. calls, refuses: what the answer holds: many servers say `stop` of an answer that calls."""
    if is_cut(reason):
        return "length"
    found = _REASONS.get(folded(reason), "stop")
    if found == "stop" and calls:
        return "tool_calls"
    return "refusal" if found == "stop" and refuses else found


def reason_of(finish: Finish | None, *, calls: bool, refuses: bool, legacy: bool = False) -> str | None:
    """The reason as a chat tells it. An answer that refuses in words of its own has stopped. legacy: its call is a
    `function_call`."""
    if finish is None:
        return None
    if finish == "refusal" and refuses:
        return "stop"
    told = "tool_calls" if calls and finish in ("stop", "pause") else _TOLD[finish]
    return "function_call" if legacy and told == "tool_calls" else told


def holds(parts: list[Part]) -> tuple[bool, bool]:
    """Whether an answer calls tools, and whether it refuses."""
    return any(isinstance(part, ToolCall) for part in parts), any(isinstance(part, Refusal) for part in parts)
