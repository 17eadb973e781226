"""What a line of the log looks like: JSON for programs, readable text on a terminal."""

import json
import re
from collections.abc import Callable
from typing import Any, Final, Literal, Protocol

import msgspec

from tollhouse.core.clock import Clock
from tollhouse.core.escaping import printable
from tollhouse.core.instant import rfc3339

Level = Literal["info", "warning", "error"]

_PLAIN: Final = re.compile(r"[^\s\"=]+")
_STYLES: Final = {"time": "2", "name": "2", "info": "1", "warning": "1;33", "error": "1;31"}
_END: Final = "\033[0m"


class LogOutput(Protocol):
    """Where lines go."""

    def write(self, data: bytes, /) -> object: ...


class LogWriter:
    """Writes a line an event. colours: on a terminal, with or without them; None: no terminal, but JSON."""

    def __init__(self, out: LogOutput, clock: Clock, *, colours: bool | None = None) -> None:
        self._out = out
        self._clock = clock
        self.render: Callable[[Any], bytes] = msgspec.json.Encoder().encode
        """An event, as the line shows it, without its end."""
        if colours is not None:
            self.render = lambda event: readable(msgspec.to_builtins(event), colours=colours)

    def info(self, event: str, **facts: object) -> None:
        self._add("info", event, facts)

    def warning(self, event: str, **facts: object) -> None:
        self._add("warning", event, facts)

    def error(self, event: str, **facts: object) -> None:
        self._add("error", event, facts)

    def _add(self, level: Level, event: str, facts: dict[str, object]) -> None:
        line = {**facts, "event": event, "level": level, "timestamp": rfc3339(self._clock.now_ms())}
        self._out.write(self.render(line) + b"\n")


def readable(event: dict[str, Any], *, colours: bool) -> bytes:
    """`time event name=value ...`: the time of day in UTC; what is empty is left out. A value in quotes is JSON."""
    level = event["level"]
    words = [
        _styled(event["timestamp"].partition("T")[2], "time", colours),
        _styled(event["event"] if level == "info" else f"{level} {event['event']}", level, colours),
    ]
    for name, value in event.items():
        if name not in ("timestamp", "level", "event") and value is not None and value not in ("", [], {}):
            words.append(_styled(f"{name}=", "name", colours) + _value(value))
    return " ".join(words).encode()


def _value(value: object) -> str:
    if isinstance(value, str) and value.isprintable() and _PLAIN.fullmatch(value):
        return value
    return printable(json.dumps(value, ensure_ascii=False))


def _styled(text: str, style: str, colours: bool) -> str:
    return f"\033[{_STYLES[style]}m{text}{_END}" if colours else text
