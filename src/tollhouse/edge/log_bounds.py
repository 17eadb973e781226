"""How many lines of refused calls the log takes in a minute: of one account or address, and in all.

What is left out is counted, and the count is logged with the first line of a later minute. The figures of `/metrics`
count every call.
"""

from typing import Final

EACH_PER_MINUTE: Final = 120
IN_ALL_PER_MINUTE: Final = 6_000
_MINUTE_MS: Final = 60_000


class LineBounds:
    def __init__(self, each: int = EACH_PER_MINUTE, in_all: int = IN_ALL_PER_MINUTE) -> None:
        self._each = each
        self._in_all = in_all
        self._minute = 0
        self._lines: dict[str, int] = {}  # of this minute, by account or address
        self._written = 0
        self._left_out = 0

    def admit(self, who: str, now_ms: int) -> bool:
        """Count one more line; False: it is left out."""
        minute = now_ms // _MINUTE_MS
        if minute != self._minute:
            self._minute, self._lines, self._written = minute, {}, 0
        lines = self._lines.get(who, 0)
        if lines >= self._each or self._written >= self._in_all:
            self._left_out += 1
            return False
        self._lines[who] = lines + 1
        self._written += 1
        return True

    def left_out(self, now_ms: int) -> int:
        """How many lines were left out and not told of, once their minute is over; 0: nothing to tell."""
        if not self._left_out or now_ms // _MINUTE_MS == self._minute:
            return 0
        told, self._left_out = self._left_out, 0
        return told
