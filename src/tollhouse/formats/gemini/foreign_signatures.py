"""What another maker signed, in a history that goes to Gemini as it came.

A caller whose model was answered by different providers sends all of it back. Gemini refuses signatures that it did not
make, so thoughts that carry one are taken out, and a call that does says that nobody of Google's signed it.
"""

from base64 import b64encode
from typing import Any, Final

import msgspec
from msgspec import Raw

from tollhouse.core.members import Members
from tollhouse.core.raw_members import UNREAD
from tollhouse.formats.gemini.contents import contents_of, object_under
from tollhouse.formats.gemini.signatures import OWN, UNSIGNED, opaque_of
from tollhouse.formats.gemini.spelling import spelled, under

MARK: Final = b64encode(b"th1_").rstrip(b"=")[:-1]
"""Stands in a body that may have any: how a wrapped signature begins, see `words.signatures`."""

_encode = msgspec.json.Encoder().encode

Object = dict[str, Any]


def without_foreign_signatures(members: Members) -> Members:
    """The members to be sent."""
    name = spelled(members, "contents")
    try:
        contents = contents_of(msgspec.json.decode(members.get(name, b"")))
    except UNREAD:
        return members
    kept = [own for content in contents if (own := _own_content(content)) is not None]
    return {**members, name: Raw(_encode(kept))}


def _own_content(content: Object) -> Object | None:
    """None: nothing is left of it."""
    parts = content.get("parts")
    if isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list):
        return content
    kept = [own for part in parts if (own := _own_part(part)) is not None]
    return {**content, "parts": kept} if kept or not parts else None


def _own_part(part: Any) -> Any:
    opaque = opaque_of(part) if isinstance(part, dict) else None
    if opaque is None or opaque.format == OWN:
        return part
    signature = spelled(part, "thoughtSignature")
    if object_under(part, "functionCall"):
        return {**part, signature: UNSIGNED}
    if under(part, "thought") or not under(part, "text"):
        return None
    return {name: value for name, value in part.items() if name != signature}
