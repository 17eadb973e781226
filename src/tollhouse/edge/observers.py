"""Those who see each call once, at its end: the log, the figures, and the memory of the last calls."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from tollhouse.core.usage_record import UsageRecord
from tollhouse.edge.event_log import EventLog
from tollhouse.edge.metrics import Metrics
from tollhouse.edge.recent_requests import RecentRequests


class RequestObservers:
    """See `gateway.ports.RequestObserver`. The calls that end in one turn of the event loop are told together: a write
    to the log costs more than a line. `live` is told likewise: whoever watches calls end. `uncounted`: where records
    wait for `services.service_levels`."""

    def __init__(
        self,
        event_log: EventLog,
        metrics: Metrics,
        recent: RecentRequests,
        live: Callable[[Sequence[UsageRecord]], None] = lambda ended: None,
        uncounted: deque[UsageRecord] | None = None,
    ) -> None:
        self.event_log = event_log
        self.metrics = metrics
        self.recent = recent
        self.live = live
        self.uncounted = deque[UsageRecord](maxlen=0) if uncounted is None else uncounted
        self._ended: list[UsageRecord] = []

    def on_finished(self, record: UsageRecord) -> None:
        self._ended.append(record)
        if len(self._ended) == 1:
            asyncio.get_running_loop().call_soon(self._tell)

    def refused(self, record: UsageRecord) -> None:
        self.event_log.refused(record)
        self.metrics.refused(record)

    def troubled(self, request_id: str, provider: str, model: str, words: str) -> None:
        self.event_log.troubled(request_id, provider, model, words)

    def _tell(self) -> None:
        ended, self._ended = self._ended, []
        self.event_log.write(ended)
        for record in ended:
            self.metrics.count(record)
        self.recent.add(ended)
        self.live(ended)
        self.uncounted.extend(ended)
