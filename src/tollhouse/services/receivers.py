"""Receivers that do not take what is sent to them: a mail address, a webhook or a chat of one account.

One that failed is paused, with all that waits for it, longer each time; one that takes a delivery is as good as new.
Kept in memory: a restart tries each once.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tollhouse.core.notice import Receiver

_SECOND: Final = 1_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
BACK_OFF_MS: Final = (
    *(5 * _SECOND, _MINUTE, 5 * _MINUTE, 30 * _MINUTE),
    *(2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 20 * _HOUR),
)
"""How long after each failed try the next one comes: 72 hours in all."""

KEPT_MAX: Final = 10_000  # receivers; the one that failed longest ago is forgotten first


class Pause(Struct):
    failures: int = 0
    until_ms: int = 0


class Receivers:
    """`back_off_ms`: how long each pause lasts; the last one again and again."""

    def __init__(self, back_off_ms: Sequence[int]) -> None:
        self._back_off_ms = back_off_ms
        self._paused: OrderedDict[Receiver, Pause] = OrderedDict()

    def failed(self, receiver: Receiver, now_ms: int) -> Pause:
        pause = self._paused.setdefault(receiver, Pause())
        self._paused.move_to_end(receiver)
        pause.failures += 1
        pause.until_ms = now_ms + self._back_off_ms[min(pause.failures, len(self._back_off_ms)) - 1]
        if len(self._paused) > KEPT_MAX:
            self._paused.popitem(last=False)
        return pause

    def works(self, receiver: Receiver) -> Pause | None:
        """It took a delivery, or nothing waits for it any more. The answer is the pause that is over."""
        return self._paused.pop(receiver, None)

    def paused_until_ms(self, receiver: Receiver) -> int:
        """0: it is not paused."""
        found = self._paused.get(receiver)
        return 0 if found is None else found.until_ms
