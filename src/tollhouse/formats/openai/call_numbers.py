"""Calls of tools in a stream, numbered as OpenAI numbers them: clients put pieces together by that number alone.

Ollama gives each call of an answer the number 0, others give none (ollama#15457, ollama#7881), and clients then make
one call of two. Where nothing is wrong, nothing is changed.
"""

from typing import Final

from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.joining import JoinedCall

MARK: Final = b'"tool_calls"'
"""Stands in an event that may have any."""


class CallNumbers:
    """Of all choices of one stream."""

    __slots__ = ("_choices",)

    def __init__(self) -> None:
        self._choices: dict[int, _ChoiceCalls] = {}

    def mend(self, chunk: chunks.Object, choices: list[chunks.Object]) -> bool:
        """Number the calls of a chunk, in their place. True: there was something to change."""
        changed = False
        for place, choice in enumerate(choices):
            delta = choice.get("delta")
            calls = delta.get("tool_calls") if isinstance(delta, dict) else None
            if not isinstance(calls, list):
                continue
            index = chunks.index_of(choice, place)
            known = self._choices.get(index)
            if known is None:
                known = self._choices[index] = _ChoiceCalls(f"call_{chunk.get('id') or ''}_{index}")
            for at, piece in enumerate(calls):
                changed = (isinstance(piece, dict) and known.mend(piece, at)) or changed
        return changed


class _ChoiceCalls:
    __slots__ = ("_last", "_next", "_prefix", "_used")

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._last: dict[int, tuple[int, JoinedCall]] = {}  # by the provider's number: ours, and the call
        self._used: set[int] = set()
        self._next = 0  # above all of them

    def mend(self, piece: chunks.Object, place: int) -> bool:
        index, changed = chunks.index_of(piece, place), False
        function = piece.get("function")
        known = self._last.get(index)
        if known is None or known[1].is_another(piece):
            number = self._next if index in self._used else index
            self._used.add(number)
            self._next = max(self._next, number + 1)
            known = self._last[index] = number, JoinedCall()
            if not piece.get("id") and isinstance(function, dict) and function.get("name"):
                piece["id"] = f"{self._prefix}_{number}"
                changed = True
        if isinstance(function, dict) and not isinstance(function.get("arguments"), str | None):
            function["arguments"] = chunks.arguments_of(function)
            changed = True
        number, call = known
        call.add(piece)
        if type(piece.get("index")) is not int or piece["index"] != number:
            piece["index"] = number
            changed = True
        return changed
