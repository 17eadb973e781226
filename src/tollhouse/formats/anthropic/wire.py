"""The name of this wire format, and what its parts share."""

from typing import Final

from tollhouse.core.conversation import Opaque

WIRE: Final = "anthropic_messages"

TOOL_RESULT_ENDING: Final = "tool_result"
"""Blocks of results end so: `tool_result` is the caller's; others are what the vendor's own tools gave."""
REDACTED: Final = "redacted_thinking:"
"""Begins the `Opaque` of thoughts that came without a text and without a signature."""
CUT: Final = frozenset(("max_tokens", "model_context_window_exceeded"))
"""Stop reasons of an answer that was cut at its length."""
TOOL_FAILED: Final = "The tool failed."
"""What a result says that tells an error and no words."""
UNSIGNED: Final = Opaque("", "")
"""What stands where thoughts are signed, of a model that does not sign them."""
