"""What the parts of the platform say of themselves, read only when somebody asks for the figures."""

from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import Metric

from tollhouse.edge import metrics
from tollhouse.gateway.ports import GatewayContext
from tollhouse.store.database import Store
from tollhouse.upstream.client import UpstreamClient


def standing(gateway: GatewayContext, network: UpstreamClient, store: Store) -> Iterator[Metric]:
    """What is read only when somebody asks for the figures."""
    now_ms = gateway.clock.now_ms()
    found = [(s, (s.provider, s.model, "" if s.slot is None else str(s.slot))) for s in gateway.health.snapshot(now_ms)]
    circuits = [((*place, s.state, s.cause), 1.0) for s, place in found]
    labels = ("provider", "model", "key")
    text = "circuit breakers that remember something, as they stand for all accounts"
    yield metrics.gauge("tollhouse_circuit", text, (*labels, "state", "cause"), circuits)
    text = "accounts that met failures and are kept away, each by a circuit of its own"
    away = [(place, float(s.accounts)) for s, place in found]
    yield metrics.gauge("tollhouse_circuit_accounts", text, labels, away)
    connections = [(("open",), float(network.open_connections())), (("idle",), float(network.idle_connections()))]
    yield metrics.gauge("tollhouse_upstream_connections", "connections to providers", ("state",), connections)
    yield metrics.gauge(
        "tollhouse_retries_left", "what the retry budget still allows", (), [((), gateway.retries.left())]
    )
    yield metrics.gauge(
        "tollhouse_configuration_generation", "of the catalogue in force", (), [((), gateway.catalogue.generation)]
    )
    yield metrics.gauge(
        "tollhouse_database_ok", "1 while it can be written", (), [((), float(not store.writer.trouble))]
    )


def below_cost(models: Mapping[str, bool]) -> Iterator[Metric]:
    """The margin guard: of each model whose cost is known."""
    rows = [((model,), float(below)) for model, below in models.items()]
    text = "1 where it is sold for less than a provider takes, at any list, multiplier or size"
    yield metrics.gauge("tollhouse_model_below_cost", text, ("model",), rows)
