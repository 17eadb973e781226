"""When each key was last used, written down coarsely: nobody reads the figure often enough to change a row per call."""

from collections.abc import Sequence

from tollhouse.core.usage_record import UsageRecord

EVERY_MS = 60_000

Uses = dict[str, tuple[int, str]]
"""Key id -> (time in Unix milliseconds, client)."""


class LastUses:
    """Belongs to the writer's thread. A use is due if it is the key's first, a new client's, or a minute after the last
    one written; what is not due waits for `overdue`."""

    def __init__(self) -> None:
        self._waiting: Uses = {}
        self._written: Uses = {}

    def note(self, batch: Sequence[UsageRecord]) -> Uses:
        """Take in the uses of a batch; the answer is what to write with it."""
        due: Uses = {}
        for record in batch:
            key_id, use = record.key_id, (record.time_ms, record.client)
            before = self._written.get(key_id)
            if before is None or before[1] != use[1] or use[0] - before[0] >= EVERY_MS:
                due[key_id] = max(due.get(key_id, use), use)
            else:
                self._waiting[key_id] = max(self._waiting.get(key_id, use), use)
        return due

    def waiting(self) -> bool:
        return bool(self._waiting)

    def overdue(self, now_ms: int | None) -> Uses:
        """What has waited for a minute; everything that waits if no time is given."""
        if now_ms is None:
            return dict(self._waiting)
        return {key_id: use for key_id, use in self._waiting.items() if now_ms - self._written[key_id][0] >= EVERY_MS}

    def written(self, uses: Uses) -> None:
        """These are durable now."""
        for key_id, use in uses.items():
            self._written[key_id] = use
            if self._waiting.get(key_id, use) <= use:
                self._waiting.pop(key_id, None)
