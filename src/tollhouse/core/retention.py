"""How far the records of calls have been deleted, and when the next look is due. There is one such record."""

from msgspec import Struct


class Retention(Struct, frozen=True, kw_only=True):
    """Times are Unix milliseconds. `before_ms`: every older record is deleted, or is about to be; it never goes back.
    `ended_at_ms`: when the last run found nothing more; None: none has ended yet."""

    before_ms: int = 0
    deleted: int = 0  # since the first run
    ended_at_ms: int | None = None
    next_at_ms: int | None = None
