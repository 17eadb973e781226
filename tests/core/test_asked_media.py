"""Media that clients call by a wrong type, or show where other formats take none."""

import pytest

from tollhouse.core.asked_media import show_media
from tollhouse.core.conversation import (
    Conversation,
    MediaKind,
    MediaPart,
    Message,
    Part,
    Role,
    TextPart,
    ToolCall,
    ToolResult,
)

CALLED: tuple[tuple[MediaKind, str, str, str], ...] = (
    ("image", "image/jpg", "AAAA", "image/jpeg"),
    ("image", "image/pjpeg", "AAAA", "image/jpeg"),
    ("image", "image/jpeg", "iVBORw0KGgoAAAANSUhEUg", "image/png"),
    ("image", "image/png", "/9j/4AAQSkZJRg", "image/jpeg"),
    ("image", "application/octet-stream", "R0lGODlhAQABAIAAAAUEBA", "image/gif"),
    ("image", "", "UklGRhoAAABXRUJQVlA4TA", "image/webp"),
    ("image", "image/heic", "AAAAGGZ0eXBoZWlj", "image/heic"),
    ("image", "image/png", "JVBERi0xLjQ", "image/png"),
    ("file", "application/octet-stream", "JVBERi0xLjQ", "application/pdf"),
    ("file", "audio/wav", "UklGRhoAAABXQVZF", "audio/wav"),
    ("file", "text/plain", "AAAA", "text/plain"),
    ("audio", "audio/wav", "UklGRhoAAABXQVZF", "audio/wav"),
)


@pytest.mark.parametrize(("kind", "called", "data", "expected"), CALLED)
def test_media_are_called_what_their_bytes_are(kind: MediaKind, called: str, data: str, expected: str) -> None:
    said = MediaPart(kind=kind, media_type=called, data=data)
    given = MediaPart(kind=kind, media_type=called, data=data[:8] + "\r\n" + data[8:])
    result = ToolResult(id="c", parts=[given])
    show_media(Conversation(messages=[Message(role="user", parts=[said, result])]))
    assert (said.media_type, given.media_type, given.data) == (expected, expected, data)


def test_what_a_system_message_shows_is_shown_by_the_user_after_it() -> None:
    look = MediaPart(kind="image", url="https://pictures.example/a.png")
    system, other = Message(role="system", parts=[TextPart(text="s"), look]), Message(role="developer", parts=[look])
    conversation = Conversation(messages=[system, Message(role="user", parts=[]), other])
    show_media(conversation)
    told = [(message.role, len(message.parts)) for message in conversation.messages]
    assert told == [("system", 1), ("user", 1), ("user", 0), ("user", 1)]
    assert conversation.messages[1].parts == conversation.messages[3].parts == [look]


def test_what_the_model_shows_is_shown_by_the_user_after_the_results_of_its_calls() -> None:
    look, call = MediaPart(kind="image", url="https://pictures.example/a.png"), ToolCall(id="c", name="f")
    told: list[tuple[Role, list[Part]]] = [
        ("assistant", [TextPart(text="This."), look, call]),
        ("user", [ToolResult(id="c")]),
        ("assistant", [look]),
        ("user", [TextPart(text="Thanks."), look]),
    ]
    conversation = Conversation(messages=[Message(role=role, parts=parts) for role, parts in told])
    show_media(conversation)
    assert [(message.role, [type(part) for part in message.parts]) for message in conversation.messages] == [
        ("assistant", [TextPart, ToolCall]),
        ("user", [ToolResult]),
        ("user", [MediaPart]),
        ("user", [MediaPart]),
        ("user", [TextPart, MediaPart]),
    ]
