"""The contents of a request, read into core words.

Calls of functions need no ids here: a result belongs to the call of its id, else to the first call of its name that has
none yet. Other formats cannot do without, so a call gets an id by its place, which is the same in every turn.
"""

from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tollhouse.core.conversation import (
    Conversation,
    MediaKind,
    MediaPart,
    Message,
    Part,
    Reasoning,
    Role,
    TextPart,
    ToolCall,
    ToolResult,
)
from tollhouse.core.failure import BadRequest
from tollhouse.core.features import note
from tollhouse.core.provider_json import encode
from tollhouse.formats.gemini.contents import BESIDE, DATA, contents_of, parts_of, text_under
from tollhouse.formats.gemini.signatures import opaque_of
from tollhouse.formats.gemini.spelling import under, unknown
from tollhouse.formats.gemini.words.joining import joined
from tollhouse.formats.gemini.words.media import read_medium
from tollhouse.formats.gemini.words.values import Place

_ROLES: Final[Mapping[str, Role]] = MappingProxyType(
    {"": "user", "user": "user", "function": "user", "tool": "user", "model": "assistant", "system": "system"}
)
_CONTENT: Final = frozenset(("role", "parts"))
_PARTS: Final = DATA | BESIDE
_HOSTED: Final = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_QUIET: Final = ("videoMetadata", "partMetadata", "mediaProcessing")
MEDIA_FEATURES: Final[Mapping[MediaKind, tuple[str, str]]] = MappingProxyType(
    {
        "image": ("images", "image_urls"),
        "audio": ("audio", "audio"),
        "video": ("video", "video"),
        "file": ("files", "file_urls"),
    }
)
"""Of a medium in the body, and of one that is elsewhere."""


def read_contents(conversation: Conversation, value: object, path: str) -> None:
    """Raises BadRequest; `param` names the member."""
    many = isinstance(value, list)
    calls = _Waiting()
    messages = _Messages(conversation)
    is_empty = True
    for at, content in enumerate(contents_of(value)):
        where = f"{path}[{at}]" if many else path
        role = text_under(content, "role")
        if role not in _ROLES:
            raise BadRequest(f"'{where}.role' must be 'user' or 'model'.", param=f"{where}.role")
        for name in unknown(content, _CONTENT):
            if unknown((name,), DATA):
                note(conversation, "other", f"{where}.{name}")
            else:
                raise BadRequest(f"'{where}.{name}' belongs into '{where}.parts'.", param=f"{where}.{name}")
        found: list[Part] = []
        listed = isinstance(content.get("parts"), list)
        for number, value in enumerate(parts_of(content)):
            is_empty = False
            place = Place(value, f"{where}.parts[{number}]" if listed else f"{where}.parts")
            part = _read_part(conversation, place, f"call_{at}_{number}", calls)
            if part is not None:
                found.append(part)
        messages.add(_ROLES[role], found, where)
    if is_empty:
        raise BadRequest(f"'{path}' must have a content with parts.", param=path)
    messages.end()


class _Waiting:
    """Calls that wait for their results, each found in one step."""

    def __init__(self) -> None:
        self._by_id: dict[str, ToolCall] = {}
        self._by_name: dict[str, deque[ToolCall]] = {}

    def add(self, call: ToolCall) -> None:
        self._by_id[call.id] = call
        self._by_name.setdefault(call.name, deque()).append(call)

    def take(self, own_id: str, name: str) -> ToolCall | None:
        """The call that a result belongs to: that of its id, else the first of its name."""
        call = self._by_id.pop(own_id, None) if own_id else None
        named = self._by_name.get(name)
        while call is None and named:
            first = named.popleft()
            if self._by_id.get(first.id) is first:
                call = self._by_id.pop(first.id)
        return call


class _Messages:
    """What a model said in one turn is one message, as are the results of its calls: clients keep the events of a
    stream as a content each."""

    def __init__(self, conversation: Conversation) -> None:
        self._messages = conversation.messages
        self._goes_on = ""  # what the last message is made of, where more of it may follow

    def add(self, role: Role, parts: list[Part], path: str) -> None:
        results = role == "user" and bool(parts) and all(isinstance(part, ToolResult) for part in parts)
        kind = role if role == "assistant" else "results" if results else ""
        if kind and kind == self._goes_on:
            self._messages[-1].parts += parts
        else:
            self._messages.append(Message(role=role, parts=parts, path=path))
        self._goes_on = kind

    def end(self) -> None:
        """A turn of which nothing is left, as one of code that the vendor ran, is none."""
        for message in self._messages:
            if message.role == "assistant":
                message.parts = joined(message.parts)
        self._messages[:] = [message for message in self._messages if message.parts or message.role != "assistant"]


def _read_part(conversation: Conversation, place: Place, made_id: str, calls: _Waiting) -> Part | None:
    part = place.value
    for name in [*unknown(part, _PARTS), *_QUIET]:
        if place.has(name):
            note(conversation, "other", place.path(name))
    if under(part, "functionCall") is not None:
        call = _read_call(conversation, place, made_id)
        calls.add(call)
        return call
    if under(part, "functionResponse") is not None:
        return _read_result(conversation, place, made_id, calls)
    for name in ("inlineData", "fileData"):
        if under(part, name) is not None:
            medium = read_medium(part, place.path(name))
            note_medium(conversation, medium, place.path(name))
            return medium
    for name in _HOSTED:
        if under(part, name) is not None:
            note(conversation, "tool_history", place.path(name))
            return None
    text, opaque = place.text("text"), opaque_of(part)
    if place.flag("thought"):
        return Reasoning(text=text, opaque=opaque)
    return TextPart(text=text, opaque=opaque) if text or opaque is not None else None


def _read_call(conversation: Conversation, place: Place, made_id: str) -> ToolCall:
    call = place.object("functionCall")
    assert call is not None
    note(conversation, "tools", place.path("functionCall"))
    arguments = call.object("args")
    return ToolCall(
        id=call.text("id") or made_id,
        name=call.text("name"),
        arguments=encode({} if arguments is None else arguments.value).decode(),
        opaque=opaque_of(place.value),
    )


def _read_result(conversation: Conversation, place: Place, made_id: str, calls: _Waiting) -> ToolResult:
    result = place.object("functionResponse")
    assert result is not None
    note(conversation, "tools", place.path("functionResponse"))
    name, own_id = result.text("name"), result.text("id")
    response = result.object("response")
    text, is_error = read_output({} if response is None else response.value)
    if is_error:
        note(conversation, "tool_errors", f"{result.path('response')}.error")
    parts: list[TextPart | MediaPart] = [TextPart(text=text)] if text else []
    for within in result.objects("parts"):
        medium = read_medium(within.value, within.path("inlineData"))
        note(conversation, "tool_result_media", within.path(_where(within)))
        note_medium(conversation, medium, within.path(_where(within)))
        parts.append(medium)
    call = calls.take(own_id, name)
    return ToolResult(
        id=call.id if call is not None else own_id or made_id,
        name=name or (call.name if call is not None else ""),
        parts=parts,
        is_error=is_error,
    )


def _where(part: Place) -> str:
    return "inlineData" if under(part.value, "inlineData") is not None else "fileData"


def read_output(response: dict[str, object]) -> tuple[str, bool]:
    """What a function gave, as a text, and whether that is an error. By the API's description `output` and `error` have
    a meaning, and google-genai writes `result`; anything else is the output itself."""
    if len(response) == 1:
        ((name, value),) = response.items()
        if name in ("output", "result", "error"):
            return value if isinstance(value, str) else encode(value).decode(), name == "error"
    return encode(response).decode() if response else "", False


def note_medium(conversation: Conversation, medium: MediaPart, path: str) -> None:
    held, linked = MEDIA_FEATURES[medium.kind]
    if medium.file_id:
        note(conversation, "file_addresses", path)
    else:
        note(conversation, held if medium.data or medium.text else linked, path)
