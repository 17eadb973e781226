"""The text that a tool is to take, out of the arguments of the function that stands for it: `{"input": "..."}`."""

import json
import re
from typing import Final

from tollhouse.core.provider_json import Object, json_object
from tollhouse.core.sound_text import sound_text

_BEGIN: Final = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_BEGIN_CHARACTERS_MAX: Final = 64
_INSIDE: Final = re.compile(r'[^"\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\]*)*')
_FIRST_HALF: Final = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")


def input_of(arguments: str) -> str:
    """The text, of whole arguments. A model that wrote line ends as they are, or the text alone, meant the same."""
    found = json_object(arguments) or _kindly_read(arguments)
    if found is None:
        return arguments
    text = found.get("input")
    if isinstance(text, str):
        return text
    only = list(found.values())
    return only[0] if len(only) == 1 and isinstance(only[0], str) else arguments


def _kindly_read(arguments: str) -> Object | None:
    try:
        value = json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class GrowingInput:
    """The text, of arguments that come in pieces: as much of it as is sure, and at the end the rest."""

    __slots__ = ("_inside", "_left", "_over", "_pieces", "said")

    def __init__(self) -> None:
        self._pieces: list[str] = []  # of the arguments
        self._left = ""  # of them, what is not read yet
        self._inside = False  # the text has begun
        self._over = False  # it has ended, or the arguments have another form
        self.said: list[str] = []

    def add(self, piece: str) -> str:
        self._pieces.append(piece)
        if self._over:
            return ""
        self._left += piece
        if not self._inside:
            begin = _BEGIN.match(self._left)
            if begin is None:
                self._over = len(self._left) > _BEGIN_CHARACTERS_MAX
                return ""
            self._inside, self._left = True, self._left[begin.end() :]
        return self._say(self._sure())

    def rest(self) -> str:
        whole, said = input_of("".join(self._pieces)), "".join(self.said)
        return self._say(whole[len(said) :]) if whole.startswith(said) else ""

    def _sure(self) -> str:
        found = _INSIDE.match(self._left)
        end = 0 if found is None else found.end()
        self._over = self._left[end : end + 1] == '"'
        if not self._over and (half := _FIRST_HALF.search(self._left[max(0, end - 6) : end])) is not None:
            end -= len(half[0])
        text, self._left = self._left[:end], self._left[end:]
        return sound_text(str(json.loads(f'"{text}"', strict=False)))

    def _say(self, text: str) -> str:
        if text:
            self.said.append(text)
        return text
