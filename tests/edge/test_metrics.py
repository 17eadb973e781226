"""The figures of `/metrics`: what they count, and that no caller can make them grow."""

import asyncio
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.edge.seen_calls import FINISHED
from tollhouse.edge.metrics import SECONDS, Metrics, gauge


def figures(metrics: Metrics, path: str = "/metrics", method: str = "GET") -> tuple[int, str]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def ask() -> None:
        await metrics.app()({"path": path, "method": method}, None, send)  # type: ignore[arg-type]

    asyncio.run(ask())
    return sent[0]["status"], sent[1]["body"].decode()


def samples(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    status, text = figures(metrics)
    assert status == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def made(*gauges: Any) -> Metrics:
    return Metrics(lambda model: model == "gpt-4o", list(gauges))


def total(found: dict[tuple[str, tuple[tuple[str, str], ...]], float], name: str, **labels: str) -> float:
    wanted = set(labels.items())
    return sum(value for (sample, having), value in found.items() if sample == name and wanted <= set(having))


def test_a_request_counts_in_each_figure() -> None:
    metrics = made()
    for _ in range(3):
        metrics.count(FINISHED)
    metrics.count(replace(FINISHED, status=503, ending="refused", provider=None, attempts=(), first_byte_ms=None))
    found = samples(metrics)
    assert total(found, "tollhouse_requests_total", status="200", ending="finished", model="gpt-4o", mode="live") == 3
    assert total(found, "tollhouse_requests_total", status="503") == 1
    assert total(found, "tollhouse_attempts_total", provider="first", error="upstream_error") == 3
    assert total(found, "tollhouse_attempts_total", provider="second", error="ok") == 3
    assert total(found, "tollhouse_tokens_total", direction="in") == 240
    assert total(found, "tollhouse_tokens_total", direction="out") == 48
    assert total(found, "tollhouse_first_byte_seconds_count", operation="chat") == 3


def test_a_time_counts_in_every_bucket_it_fits_its_bound_included() -> None:
    for bound in SECONDS:
        metrics = made()
        metrics.count(replace(FINISHED, first_byte_ms=int(bound * 1000)))
        metrics.count(replace(FINISHED, first_byte_ms=int(bound * 1000) + 1))
        found = samples(metrics)
        assert total(found, "tollhouse_first_byte_seconds_bucket", le=str(bound)) == 1
        assert total(found, "tollhouse_first_byte_seconds_bucket", le="+Inf") == 2


def test_no_name_that_a_caller_makes_up_becomes_a_label() -> None:
    metrics = made()
    for number in range(1000):
        metrics.count(replace(FINISHED, model=f"made-up-{number}", client=f"client-{number}", tags={"a": str(number)}))
        metrics.refused(replace(FINISHED, status=401, error="invalid_api_key"))
    found = samples(metrics)
    assert len(found) < 60
    assert total(found, "tollhouse_requests_total", model="unknown") == 1000
    assert total(found, "tollhouse_refused_total", operation="chat", code="invalid_api_key") == 1000
    assert "secret" not in str(found)


def test_the_state_of_other_endpoints_is_read_when_somebody_asks() -> None:
    idle = [1.0]

    def endpoints() -> Iterator[Metric]:
        yield gauge("tollhouse_idle", "of a room", ("state",), [(("idle",), idle[0])])

    metrics = made(endpoints)
    assert total(samples(metrics), "tollhouse_idle") == 1
    idle[0] = 7
    assert total(samples(metrics), "tollhouse_idle", state="idle") == 7


def test_nothing_else_is_served_there() -> None:
    for path, method in (("/", "GET"), ("/metrics/", "GET"), ("/metrics", "POST"), ("/v1/models", "GET")):
        status, text = figures(made(), path, method)
        assert status == 404
        assert "error" in text


def test_a_report_that_was_not_believed_counts_by_provider_and_model() -> None:
    metrics = made()
    metrics.count(FINISHED)
    for doubt in ("unreadable", "one-sided", "one-sided"):
        metrics.count(replace(FINISHED, usage_source="counted", doubt=doubt))
    found = samples(metrics)
    name = "tollhouse_reports_not_believed_total"
    assert total(found, name, provider=FINISHED.provider or "", model="gpt-4o", why="unreadable") == 1
    assert total(found, name, provider=FINISHED.provider or "", model="gpt-4o", why="one-sided") == 2
    assert total(found, name) == 3
