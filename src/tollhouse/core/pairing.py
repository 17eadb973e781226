"""Calls and their results: each result stands in the message after its call, and no two calls have one id.

OpenAI's responses take results wherever they stand, and chat servers give ids that repeat (`call_0` in every turn). All
other formats refuse both, and calls without a result, and results without a call: clients that shorten a history, or
whose user stopped a tool, send those.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from tollhouse.core.conversation import Conversation, Message, Part, Role, TextPart, ToolCall, ToolResult

_NOTHING: Final = "No result of this call was given."


def pair_calls(conversation: Conversation) -> None:
    """Fill in the name of the tool, and whether it is a custom one, of results that tell only the call's id; put in
    order what is out of it. Linear in the parts."""
    if not _are_paired(conversation.messages):
        conversation.messages = _Pairing().paired(conversation.messages)


def _are_paired(messages: Sequence[Message]) -> bool:
    known: set[str] = set()
    expected: list[ToolCall] = []
    for message in messages:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        calls = [part for part in message.parts if isinstance(part, ToolCall)]
        out_of_place = results if message.role == "assistant" else calls
        if out_of_place or [call.id for call in expected] != [result.id for result in results]:
            return False
        for call, result in zip(expected, results, strict=True):
            _name(result, call)
        expected = calls
        ids = {call.id for call in expected}
        if len(ids) < len(expected) or "" in ids or not ids.isdisjoint(known):
            return False
        known |= ids
    return not expected


def _name(result: ToolResult, call: ToolCall) -> None:
    result.id = call.id
    result.name = result.name or call.name
    result.is_custom = result.is_custom or call.is_custom


class _Asked:
    """A call, by the id that it goes on with, and its result."""

    __slots__ = ("call", "result")

    def __init__(self, call: ToolCall) -> None:
        self.call = call
        self.result: ToolResult | None = None

    def answer(self) -> ToolResult:
        result = self.result or ToolResult(id="", parts=[TextPart(text=_NOTHING)], is_error=True)
        _name(result, self.call)
        return result


class _Pairing:
    def __init__(self) -> None:
        self._ids: set[str] = set()
        self._repeated: dict[str, int] = {}  # how often an id came, where it came before
        self._waiting: dict[str, deque[_Asked]] = {}  # by the id that the caller gave
        self._answered: dict[str, ToolResult] = {}
        self._holders: list[tuple[Message, list[_Asked]]] = []  # the messages of results

    def paired(self, messages: Iterable[Message]) -> list[Message]:
        made: list[Message] = []
        goes_on = False  # the last message is of the assistant, and its calls have no results yet
        for message in messages:
            goes_on = goes_on and message.role == "assistant"
            parts = [part for part in message.parts if not self._takes(part)]
            if message.parts and not parts:
                continue
            message.parts = [said for part in parts for said in _in_place(part, message.role)]
            if message.role == "assistant":
                asked = self._ask(message)
                if goes_on:
                    made[-2].parts += message.parts
                    self._holders[-1][1].extend(asked)
                    continue
                made.append(message)
                goes_on = bool(asked)
                if asked:
                    made.append(Message(role="user", parts=[]))
                    self._holders.append((made[-1], asked))
                continue
            made.append(message)
        for holder, asked in self._holders:
            holder.parts = [one.answer() for one in asked]
        return made

    def _ask(self, message: Message) -> list[_Asked]:
        found: list[_Asked] = []
        for part in message.parts:
            if isinstance(part, ToolCall):
                found.append(_Asked(part))
                self._waiting.setdefault(part.id, deque()).append(found[-1])
                part.id = self._own_id(part.id)
        return found

    def _own_id(self, given: str) -> str:
        own = given
        while own in self._ids or not own:
            count = self._repeated[given] = self._repeated.get(given, 1) + 1
            own = f"{given or 'call'}_{count}"
        self._ids.add(own)
        return own

    def _takes(self, part: Part) -> bool:
        """Whether it is the result of a call before it: the first by its id that has none. What is told twice of one
        call is one result."""
        if not isinstance(part, ToolResult):
            return False
        if waiting := self._waiting.get(part.id):
            waiting[0].result = self._answered[part.id] = part
            waiting.popleft()
            return True
        if (before := self._answered.get(part.id)) is None:
            return False
        before.parts.extend(part.parts)
        return True


def _in_place(part: Part, role: Role) -> list[Part]:
    """A result without its call, and a call that somebody else than the model makes, as what is said."""
    if isinstance(part, ToolResult):
        return [TextPart(text=f"The result of {part.name or 'a tool'} ({part.id}):"), *part.parts]
    if isinstance(part, ToolCall) and role != "assistant":
        return [TextPart(text=f"A call of {part.name}: {part.arguments}")]
    return [part]
