"""What callers asked and hold, over all lives of one database, beside what the database says."""

from collections import Counter
from typing import Final

from tests.crash.callers import CrashCallers, Received, Refused
from tests.crash.recovered_state import RecoveredState

CONFIG: Final = """
[server]
lame_duck_seconds = 0
metrics_address = ""
{database}

[plans.default]
parallel_requests = 1000
requests_per_minute = 1000000
tokens_per_minute = 1000000000
"""
WHOLE: Final = ("finished", "incomplete")


class History:
    """What was asked and received in all rounds on one database."""

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self.received: list[Received] = []
        self.refused: list[Refused] = []

    def add(self, callers: CrashCallers) -> None:
        self.asked |= callers.asked
        self.received += callers.received
        self.refused += callers.refused

    def differences(self, standing: RecoveredState) -> list[str]:
        """Everything in which the database and the callers do not agree."""
        found = list(standing.flaws)
        named = Counter(row.tags.get("call", "nobody") for row in standing.calls.values())
        found += [f"{call} was never asked" for call in named if call not in self.asked]
        found += [f"{call} was written down {count} times" for call, count in named.items() if count > 1]
        if standing.rows != len(standing.calls):
            found.append(f"{standing.rows} rows for {len(standing.calls)} calls")
        for one in self.received:
            entries, charged = standing.entries[one.request_id], standing.charged[one.request_id]
            row = standing.calls.get(one.request_id)
            if row is None or row.tags.get("call") != one.call or row.ending not in WHOLE:
                found.append(f"{one} is not what was written down: {row}")
            elif entries != 1 or charged != one.charge:
                found.append(f"{one} stands {entries} times in the ledger, for {charged} nano-USD")
        return found + self._charged_for_nothing(standing)

    def _charged_for_nothing(self, standing: RecoveredState) -> list[str]:
        """Who got an error instead of an answer pays nothing; a stream that broke at its end, at most once."""
        rows = {row.tags.get("call"): row for row in standing.calls.values()}
        found = []
        for one in self.refused:
            row = rows.get(one.call)
            entries = 0 if row is None else standing.entries[row.id]
            if entries > (one.status == 200):
                found.append(f"{one} stands {entries} times in the ledger: {row}")
        return found
