"""Thoughts that another maker's model wrote, in a history that goes to Anthropic as it came.

A caller whose model was answered by different providers sends all of their thoughts back. Anthropic refuses signatures
that it did not make, so those are taken out, as is what the ids of calls carry for another maker.
"""

import re
from typing import Any, Final

import msgspec
from msgspec import Raw

from tollhouse.core.members import Members
from tollhouse.core.opaque import id_without, opened
from tollhouse.core.raw_members import UNREAD
from tollhouse.formats.anthropic.thinking import lacks_thoughts
from tollhouse.formats.anthropic.wire import WIRE

_SEALED: Final = b"th1_"
_UNSIGNED: Final = re.compile(rb'"signature"\s*:\s*""')
"""How another maker's signature, and none, are written: looked for in 0.6 ms a megabyte."""

_encode = msgspec.json.Encoder().encode


def without_foreign_thoughts(members: Members) -> Members:
    """The members to be sent. A model does not think at a budget in a turn that goes on without its thoughts."""
    raw = members.get("messages")
    if raw is None:
        return members
    history = bytes(raw)
    if _SEALED not in history and not _UNSIGNED.search(history):
        return members
    try:
        messages: list[dict[str, Any]] = msgspec.json.decode(raw, type=list[dict[str, Any]])
    except UNREAD:
        return members
    kept = [message for one in messages if (message := _without(one)) is not None]
    sent = {**members, "messages": Raw(_encode(kept))}
    if b'"enabled"' in bytes(members.get("thinking", b"")) and lacks_thoughts(list(kept)):
        del sent["thinking"]
    return sent


def _without(message: dict[str, Any]) -> dict[str, Any] | None:
    """None: nothing is left of it."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    kept = [_with_own_id(block) for block in content if not _is_foreign(block)]
    return {**message, "content": kept} if kept or not content else None


def _with_own_id(block: Any) -> Any:
    for name in ("id", "tool_use_id"):
        if isinstance(block, dict) and isinstance(block.get(name), str):
            return {**block, name: id_without(block[name])[0]}
    return block


def _is_foreign(block: object) -> bool:
    if not isinstance(block, dict) or block.get("type") not in ("thinking", "redacted_thinking"):
        return False
    said = block.get("signature" if block["type"] == "thinking" else "data")
    return not isinstance(said, str) or not said or opened(said, WIRE).format != WIRE
