"""The figures of `/metrics`, in Prometheus' text form, on a listener of their own.

Counting a request costs a few dictionary look-ups; the exposition is made from those when somebody asks. Every label
has few values by construction: a model or provider is one of the configuration, or `unknown`.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tollhouse.core.usage_record import UsageRecord
from tollhouse.edge.asgi import Receive, Scope, Send

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
Gauge = Callable[[], Iterator[Metric]]


class Metrics(Collector):
    """`known` says whether a model is of the configuration; `gauges` read the state of other packages when asked."""

    def __init__(self, known: Callable[[str], bool], gauges: list[Gauge]) -> None:
        self._known = known
        self._gauges = gauges
        self._requests: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._refused: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._attempts: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._tokens: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._doubts: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._cuts: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._first_byte: defaultdict[str, list[int]] = defaultdict(lambda: [0] * (len(SECONDS) + 1))
        self._first_byte_sum: defaultdict[str, int] = defaultdict(int)

    def count(self, record: UsageRecord) -> None:
        model = record.model if self._known(record.model) else "unknown"
        self._requests[(record.operation, model, str(record.status), record.ending, record.mode)] += 1
        for attempt in record.attempts:
            self._attempts[(attempt.provider, attempt.error or "ok")] += 1
        usage = record.usage
        self._tokens[(model, "in")] += usage.tokens_in()
        self._tokens[(model, "out")] += usage.tokens_out()
        if record.doubt is not None:
            self._doubts[(record.provider or "unknown", model, record.doubt)] += 1
        if record.cut:
            self._cuts[(record.provider or "unknown", model)] += 1
        if record.first_byte_ms is not None:
            self._first_byte[record.operation][bisect_left(SECONDS, record.first_byte_ms / 1000)] += 1
            self._first_byte_sum[record.operation] += record.first_byte_ms

    def refused(self, record: UsageRecord) -> None:
        self._refused[(record.operation, record.error or "")] += 1

    def collect(self) -> Iterator[Metric]:
        yield _counter("tollhouse_requests", "calls by how they ended", self._requests, _REQUEST_LABELS)
        yield _counter("tollhouse_refused", "calls refused before they had an account", self._refused, _REFUSED_LABELS)
        yield _counter("tollhouse_attempts", "tries at providers", self._attempts, _ATTEMPT_LABELS)
        yield _counter("tollhouse_tokens", "tokens metered", self._tokens, _TOKEN_LABELS)
        yield _counter("tollhouse_reports_not_believed", "calls counted by us instead", self._doubts, _DOUBT_LABELS)
        yield _counter("tollhouse_answers_cut", "answers that passed what was held for", self._cuts, _CUT_LABELS)
        first = HistogramMetricFamily("tollhouse_first_byte_seconds", "arrival to first byte", labels=["operation"])
        for operation, counts in self._first_byte.items():
            total, buckets = 0, []
            for bound, count in zip((*map(str, SECONDS), "+Inf"), counts, strict=True):
                total += count
                buckets.append((bound, total))
            first.add_metric([operation], buckets, self._first_byte_sum[operation] / 1000)
        yield first
        for gauge in self._gauges:
            yield from gauge()

    def app(self) -> "Exposition":
        return Exposition(self)


class Exposition:
    """The ASGI application of the metrics listener."""

    def __init__(self, metrics: Metrics) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = scope["path"] == "/metrics" and scope["method"] in ("GET", "HEAD")
        body = generate_latest(self._registry) if found else b'{"error":{"message":"only GET /metrics is here"}}'
        kind = b"text/plain; version=0.0.4; charset=utf-8" if found else b"application/json"
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200 if found else 404, "headers": headers})
        await send({"type": "http.response.body", "body": body})


_REQUEST_LABELS: Final = ("operation", "model", "status", "ending", "mode")
_REFUSED_LABELS: Final = ("operation", "code")
_ATTEMPT_LABELS: Final = ("provider", "error")
_DOUBT_LABELS: Final = ("provider", "model", "why")
_CUT_LABELS: Final = ("provider", "model")
_TOKEN_LABELS: Final = ("model", "direction")


def _counter(name: str, text: str, counts: dict[tuple[str, ...], int], labels: tuple[str, ...]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, count in list(counts.items()):
        family.add_metric(values, count)
    return family


def gauge(
    name: str, text: str, labels: tuple[str, ...], rows: Iterable[tuple[Iterable[str], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in rows:
        family.add_metric(tuple(values), value)
    return family
