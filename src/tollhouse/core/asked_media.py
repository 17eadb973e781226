"""Media in a request as each format takes them: called what they are by their bytes, and shown by a user.

OpenAI looks at the bytes of a picture, whatever its `data:` URL calls it; Anthropic and Gemini refuse one that is
called by another type, or by a name that is not registered (`image/jpg`).
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from tollhouse.core.conversation import Conversation, MediaPart, Message, Part, ToolCall, ToolResult

_BEGINNINGS: Final = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),  # RIFF, of which sound is another kind
    ("JVBERi", "application/pdf"),
)
"""How files of a type begin, in base64."""
_ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "image/jpg": "image/jpeg",
        "image/pjpeg": "image/jpeg",
        "image/x-png": "image/png",
        "application/x-pdf": "application/pdf",
    }
)
_KINDS: Final = ("image", "file")


def show_media(conversation: Conversation) -> None:
    """Call media by their types, and put what a system message or the model itself shows into a message of the user's
    after it: no format takes it from everybody. Results of the model's calls stay behind these."""
    shown: list[Message] = []
    waiting: list[Message] = []  # until the results of calls have been told
    for message in conversation.messages:
        for medium in _media(message.parts):
            _call_by_type(medium)
        media = [part for part in message.parts if isinstance(part, MediaPart)] if message.role != "user" else []
        if media:
            message.parts = [part for part in message.parts if not isinstance(part, MediaPart)]
        if message.parts or not media:
            shown.append(message)
        shown += waiting
        waiting = [Message(role="user", parts=list(media), path=message.path)] if media else []
        if waiting and not any(isinstance(part, ToolCall) for part in message.parts):
            shown += waiting
            waiting = []
    conversation.messages = shown + waiting


def _media(parts: Iterable[Part]) -> Iterator[MediaPart]:
    for part in parts:
        if isinstance(part, MediaPart):
            yield part
        elif isinstance(part, ToolResult):
            yield from _media(part.parts)


def _call_by_type(medium: MediaPart) -> None:
    if "\n" in medium.data or "\r" in medium.data:  # as `base64.encodebytes` and many tools write it
        medium.data = "".join(medium.data.split())
    if not medium.data or medium.kind not in _KINDS:
        return
    found = next((name for begin, name in _BEGINNINGS if medium.data.startswith(begin)), "")
    if found and (medium.kind == "image") == found.startswith("image/"):
        medium.media_type = found
    else:
        medium.media_type = _ALIASES.get(medium.media_type, medium.media_type)
