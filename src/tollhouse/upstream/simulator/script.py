"""What a test call asks the simulator to do: `error=overloaded,times=2`, by header or as the model `simulate/...`.

| word               | effect                                                                                      |
|--------------------|---------------------------------------------------------------------------------------------|
| `error=<code>`     | the call ends as the row of the error table with this code                                  |
| `status=503`       | the provider answers this status, in the shape of its errors (200: as if it were not there) |
| `times=2`          | the fault strikes twice, then one call succeeds, then it begins anew; per key and script    |
| `first_byte_ms=N`  | the head comes after so long                                                                |
| `chunk_ms=N`       | so long between two chunks                                                                  |
| `cut_after=N`      | the connection breaks after so many chunks; a buffered answer breaks in its middle          |
| `malformed`        | the answer is no JSON                                                                       |
| `no_usage`         | usage is not reported                                                                       |
| `tokens=N`         | the answer has exactly so many output tokens                                                |
| `tool=NAME`        | the answer calls this tool, unless it replies to a tool's result                            |
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from msgspec import Struct, structs

from tollhouse.core.failure import BadRequest, Failure, every_failure
from tollhouse.core.spelling import nearest
from tollhouse.upstream.simulator.bounds import SCRIPT_MAX, TOKENS_MAX

MODEL_PREFIX: Final = "simulate/"

_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "status": (200, 599),
    "times": (1, 100),
    "first_byte_ms": (0, 600_000),
    "chunk_ms": (0, 60_000),
    "cut_after": (0, 1_000_000),
    "tokens": (0, TOKENS_MAX),
}
_FLAGS: Final = ("malformed", "no_usage")
_WORDS: Final = ("error", "tool", *_RANGES, *_FLAGS)
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_TOOL = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_SHOWN_MAX = 40

_RETRY_AFTER_MS: Final[Mapping[str, int]] = {
    "rate_limit_exceeded": 1_000,
    "overloaded": 1_000,
    "model_not_priced": 60_000,
}
_HEADERS: Final[Mapping[str, tuple[tuple[bytes, bytes], ...]]] = {
    "method_not_allowed": ((b"allow", b"POST"),),
    "upgrade_required": ((b"upgrade", b"HTTP/1.1"),),
}


class Script(Struct, frozen=True, kw_only=True):
    """`text` is the script as it was written: with the key's id it names the counter of `times`."""

    text: str = ""
    error: str | None = None  # a code of the error table
    status: int | None = None
    times: int | None = None
    first_byte_ms: int = 0
    chunk_ms: int = 0
    cut_after: int | None = None
    malformed: bool = False
    no_usage: bool = False
    tokens: int | None = None
    tool: str | None = None

    def failure(self) -> Failure | None:
        """The failure that `error=` names, as its row of the table says it; None without that word."""
        if self.error is None:
            return None
        return failures()[self.error](
            f"Simulated: this test call asked for '{self.error}'.",
            retry_after_ms=_RETRY_AFTER_MS.get(self.error),
            headers=_HEADERS.get(self.error, ()),
        )

    def without_faults(self) -> "Script":
        """The call that succeeds after the `times` of a fault: pace, length and tool stay."""
        return structs.replace(
            self, error=None, status=None, first_byte_ms=0, cut_after=None, malformed=False, no_usage=False
        )


@cache
def failures() -> Mapping[str, type[Failure]]:
    """Every code that can be asked for; of failures that share one, the most general."""
    kinds: dict[str, type[Failure]] = {}
    for kind in every_failure():
        kinds.setdefault(kind.code, kind)
    return MappingProxyType(kinds)


def parse(text: str) -> Script:
    """Read a script; blanks around words are ignored, the empty text asks for nothing. Raises BadRequest."""
    if len(text) > SCRIPT_MAX:
        raise _bad(f"it has {len(text)} characters, of at most {SCRIPT_MAX}")
    fields: dict[str, str | int | bool] = {}
    for part in text.split(","):
        word, equals, value = (side.strip() for side in part.partition("="))
        if not word and not equals:
            continue
        if word not in _WORDS:
            hint = nearest(word, _WORDS)
            raise _bad(f"{_shown(word)} is no word of a script; the nearest is {hint!r} (known: {', '.join(_WORDS)})")
        if word in fields:
            raise _bad(f"{word!r} stands there twice")
        fields[word] = _value(word, bool(equals), value)
    if "error" in fields and "status" in fields:
        raise _bad("'error' and 'status' exclude each other")
    return structs.replace(Script(text=text.strip()), **fields)


def _value(word: str, given: bool, value: str) -> str | int | bool:
    if word in _FLAGS:
        if given:
            raise _bad(f"{word!r} takes no value")
        return True
    if not value:
        raise _bad(f"{word!r} needs a value, as in '{word}=...'")
    if word == "error":
        if value not in failures():
            raise _bad(f"{_shown(value)} is no error code; the nearest is {nearest(value, failures())!r}")
        return value
    if word == "tool":
        if not _TOOL.fullmatch(value):
            raise _bad(f"{_shown(value)} cannot be a tool's name")
        return value
    least, maximum = _RANGES[word]
    if not _NUMBER.fullmatch(value) or not least <= int(value) <= maximum:
        raise _bad(f"'{word}' is a whole number from {least} to {maximum}, not {_shown(value)}")
    return int(value)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "...")


def _bad(problem: str) -> BadRequest:
    return BadRequest(f"The simulator's script is not understood: {problem}.")
