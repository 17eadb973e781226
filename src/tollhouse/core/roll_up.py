"""What a report of usage is grouped by, and what one group used."""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from tollhouse.core.account import KeyMode
from tollhouse.core.operation import Operation
from tollhouse.core.usage import Usage

QUARTER_MS: Final = 900_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
"""What is used and spent is summed by spans such as these."""

FOREVER_MS: Final = 253_370_764_800_000
"""Unix milliseconds, in the year 9999, where a day of UTC begins: later than all that is summed."""

UsageBy = Literal["model", "key", "project", "day", "tag", "dialect", "operation"]
SummedBy = Literal["model", "key", "project", "member", "tag", "dialect", "operation"]
"""What sums of usage tell apart: a member by the keys that they made. Of clients they know nothing."""

UNKNOWN: Final = "unknown"
"""The dialect and the operation of calls that were summed before sums knew them."""

_TEXT: Final = "completions"
_KINDS: Final[Mapping[Operation, str]] = {
    "chat": _TEXT,
    "completions": _TEXT,
    "responses": _TEXT,
    "speech": "audio_speeches",
    "image_edits": "images",
    "image_variations": "images",
    "transcriptions": "audio_transcriptions",
    "translations": "audio_transcriptions",
}


def kind_of(operation: Operation) -> str:
    """The kind of usage that an operation is reported under: all that generates text is `completions`."""
    return _KINDS.get(operation, operation)


class UsageSum(Struct, frozen=True, kw_only=True):
    """`start_ms`: of its span of time; 0 where spans are not told apart."""

    group: str  # a model, an id, a tag `name=value`, a dialect, ..., or the start of a UTC day in Unix milliseconds
    calls: int
    failed: int  # of them: ended with a status of 400 or more
    usage: Usage
    charge: int = 0  # nano-USD; test mode charges nothing
    start_ms: int = 0


Metric = Literal["spend", "requests", "tokens"]
"""By what groups are ranked: nano-USD charged, calls, tokens in and out."""


class UsageFilter(Struct, frozen=True, kw_only=True):
    """Whose usage counts; None: everybody's. Sums by tag know the account and the mode only."""

    account_id: str | None = None
    project_id: str | None = None
    key_id: str | None = None
    model: str | None = None
    dialect: str | None = None
    operation: str | None = None
    mode: KeyMode = "live"


class Spans(Struct, frozen=True, kw_only=True):
    """Time from `from_ms` to `to_ms` (outside) cut into spans of `width_ms`; None: it is one. Unix milliseconds.

    shifts: (until, shift) in their order: up to that instant spans begin where time + shift is a multiple of their
    width. Days of a zone have its offset, another one where its clocks change.
    """

    from_ms: int
    to_ms: int
    width_ms: int | None = None
    shifts: tuple[tuple[int, int], ...] = ()


class BucketSum(Struct, frozen=True, kw_only=True):
    """What live calls used in one bucket of time; of project, key and model, what it is grouped by is named."""

    start_ms: int
    project_id: str | None = None
    key_id: str | None = None
    model: str | None = None
    usage: Usage
    charge: int  # nano-USD
