"""Those who see each call once, at its end: the log, the figures, and the memory of the last calls."""

from tollhouse.core.usage_record import UsageRecord
from tollhouse.edge.event_log import EventLog
from tollhouse.edge.metrics import Metrics
from tollhouse.edge.recent_requests import RecentRequests
from tollhouse.gateway.connection import Call


class RequestObservers:
    """See `gateway.ports.RequestObserver`."""

    def __init__(self, event_log: EventLog, metrics: Metrics, recent: RecentRequests) -> None:
        self.event_log = event_log
        self.metrics = metrics
        self.recent = recent

    def on_finished(self, record: UsageRecord) -> None:
        self.event_log.on_finished(record)
        self.metrics.on_finished(record)
        self.recent.on_finished(record)

    def refused(self, call: Call, code: str, status: int) -> None:
        self.event_log.refused(call, code, status)
        self.metrics.refused(call, code, status)

    def troubled(self, request_id: str, provider: str, model: str, words: str) -> None:
        self.event_log.troubled(request_id, provider, model, words)
