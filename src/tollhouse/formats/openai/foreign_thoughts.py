"""What another maker signed, in a history that goes to a provider of the same format as it came.

A caller whose model was answered by different providers sends all of it back: thoughts that only their maker can read,
and ids of calls that carry such. OpenAI refuses encrypted content that it did not make, and ids that are long.
"""

from typing import Any, Final

import msgspec
from msgspec import Raw

from tollhouse.core.members import Members
from tollhouse.core.opaque import id_without, opened
from tollhouse.core.operation import Operation
from tollhouse.core.raw_members import UNREAD
from tollhouse.formats.openai.summaries import ITEMS, summary_in

MARK: Final = b"th1_"
"""Stands in a body that may have any: see `core.opaque`."""
_OWN: Final = {"chat": "openai_chat", "responses": "openai_responses"}
_SAID_IN: Final = {"chat": "messages", "responses": "input"}
_IDS: Final = ("id", "call_id", "tool_call_id")
_LISTS: Final = ("reasoning_details", "thinking_blocks")
_SIGNED: Final = ("encrypted_content", "signature", "data")

_encode = msgspec.json.Encoder().encode

Object = dict[str, Any]


def without_foreign_thoughts(operation: Operation, members: Members) -> Members:
    """The members to be sent."""
    name = _SAID_IN.get(operation, "")
    try:
        said: list[Object] = msgspec.json.decode(members.get(name, b""), type=list[Object])
    except UNREAD:
        return members
    own = _OWN[operation]
    kept = [
        _said_in_words(one) or _own_part(one, own)
        for one in said
        if not (one.get("type") == "reasoning" and _is_foreign(one, own))
    ]
    return {**members, name: Raw(_encode(kept))}


def _said_in_words(item: Object) -> Object | None:
    """A summary that a model of another format wrote."""
    summary = summary_in(item.get("encrypted_content")) if item.get("type") in ITEMS else None
    return None if summary is None else {"type": "message", "role": "user", "content": summary}


def _own_part(one: Object, own: str) -> Object:
    """A message or an item with ids as their maker wrote them."""
    made = {
        name: id_without(value)[0] if name in _IDS and isinstance(value, str) else value for name, value in one.items()
    }
    calls = made.get("tool_calls")
    if isinstance(calls, list):
        made["tool_calls"] = [_own_part(call, own) if isinstance(call, dict) else call for call in calls]
    for name in _LISTS:
        listed = made.get(name)
        if isinstance(listed, list):
            made[name] = [each for each in listed if not _is_foreign(each, own)]
            if not made[name]:
                del made[name]
    if _is_foreign(made, own):
        made.pop("signature", None)
    return made


def _is_foreign(one: object, own: str) -> bool:
    if not isinstance(one, dict):
        return False
    signed = [one[name] for name in _SIGNED if isinstance(one.get(name), str)]
    return any(opened(text, own).format != own for text in signed)
