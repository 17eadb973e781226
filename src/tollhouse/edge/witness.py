"""Those who see each call once, at its end: the log, the figures, and the memory of the last calls."""

from tollhouse.core.request import Request
from tollhouse.edge.journal import Journal
from tollhouse.edge.metrics import Metrics
from tollhouse.edge.recent import Recent
from tollhouse.gateway.client import Call


class Witnesses:
    """See `gateway.ports.Witness`."""

    def __init__(self, journal: Journal, metrics: Metrics, recent: Recent) -> None:
        self.journal = journal
        self.metrics = metrics
        self.recent = recent

    def saw(self, record: Request) -> None:
        self.journal.saw(record)
        self.metrics.saw(record)
        self.recent.saw(record)

    def refused(self, call: Call, code: str, status: int) -> None:
        self.journal.refused(call, code, status)
        self.metrics.refused(call, code, status)

    def troubled(self, request_id: str, provider: str, model: str, words: str) -> None:
        self.journal.troubled(request_id, provider, model, words)
