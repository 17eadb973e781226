"""Why an answer of Gemini ended, in core words and back."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tollhouse.core.reply import Finish

CUT: Final = "MAX_TOKENS"
FINISHES: Final[Mapping[str, Finish]] = MappingProxyType(
    {
        "STOP": "stop",
        "FINISH_REASON_UNSPECIFIED": "stop",
        CUT: "length",
        "CONTINUATION": "pause",
        "SAFETY": "content_filter",
        "RECITATION": "content_filter",
        "LANGUAGE": "content_filter",
        "OTHER": "content_filter",
        "BLOCKLIST": "content_filter",
        "PROHIBITED_CONTENT": "content_filter",
        "SPII": "content_filter",
        "MODEL_ARMOR": "content_filter",
        "ESCALATION": "content_filter",
        "PUP_LIMITED_DISABLED": "content_filter",
        "IMAGE_SAFETY": "content_filter",
        "IMAGE_PROHIBITED_CONTENT": "content_filter",
        "IMAGE_RECITATION": "content_filter",
        "IMAGE_OTHER": "content_filter",
        "MALFORMED_FUNCTION_CALL": "refusal",
        "MALFORMED_RESPONSE": "refusal",
        "UNEXPECTED_TOOL_CALL": "refusal",
        "TOO_MANY_TOOL_CALLS": "refusal",
        "MISSING_THOUGHT_SIGNATURE": "refusal",
        "NO_IMAGE": "refusal",
    }
)
"""What the model began and nobody can use counts as refused: it is neither a good end nor a failure of the provider."""
UNUSABLE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "MALFORMED_FUNCTION_CALL": "The model wrote a call of a function that cannot be read.",
        "MALFORMED_RESPONSE": "The model wrote an answer that cannot be read.",
        "UNEXPECTED_TOOL_CALL": "The model called a function although there is none that it may call.",
        "TOO_MANY_TOOL_CALLS": "The model called too many functions one after the other.",
        "MISSING_THOUGHT_SIGNATURE": "The signature of an earlier thought is missing in the request.",
        "NO_IMAGE": "The model drew no picture.",
    }
)
"""What is said of it, where the provider says nothing."""
CALLS_NOTHING: Final = frozenset(
    ("MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS")
)
"""A call that comes with such a reason is none that anybody should run."""
_REASONS: Final[Mapping[Finish, str]] = MappingProxyType(
    {
        "stop": "STOP",
        "stop_sequence": "STOP",
        "tool_calls": "STOP",
        "length": CUT,
        "content_filter": "SAFETY",
        "refusal": "SAFETY",
        "pause": "OTHER",
    }
)


def finish_of(reason: str, *, calls: bool) -> Finish:
    """calls: the answer calls functions, which Gemini has no reason of its own for. An unknown reason is a good end."""
    found = FINISHES.get(reason.upper(), "stop")
    return "tool_calls" if calls and found == "stop" else found


def reason_of(finish: Finish | None) -> str:
    return _REASONS["stop" if finish is None else finish]
