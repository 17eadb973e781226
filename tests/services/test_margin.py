"""The margin guard at work: what `/metrics` shows of what is sold below cost, as prices and accounts change."""

from pathlib import Path

from tests.services.harness import OPERATOR, SettableClock, run
from tests.services.prices_brought import brought, file_of
from tollhouse.edge.standing import below_cost
from tollhouse.services import accounts, margin, platform, price_lists
from tollhouse.services.context import ServiceContext
from tollhouse.services.margin import MarginMonitor

GOOD = {"price": {"input": "2", "output": "8"}}


def figures(guard: MarginMonitor) -> dict[str, float]:
    (family,) = below_cost(guard.models)
    assert family.name == "tollhouse_model_below_cost"
    return {sample.labels["model"]: sample.value for sample in family.samples}


def test_the_guard_sees_what_changes(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        guard = MarginMonitor(services)
        await guard.look()
        assert figures(guard) == {}
        uncosted = file_of(m=GOOD, n=GOOD)
        await platform.apply(services, OPERATOR, uncosted)
        await guard.look()
        assert figures(guard) == {"m": 0, "n": 0}
        draft = await brought(services, b"model,input\nm,0.5\n", "partner")
        await price_lists.activate(services, OPERATOR, draft.id)
        await guard.look()
        assert figures(guard) == {"m": 1, "n": 0}
        assert [margin.as_text(loss).rpartition(" by ")[2] for loss in margin.now(services)] == ["list partner"]

    run(tmp_path, scenario)


def test_an_accounts_multiple_is_seen_within_a_minute(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        guard = MarginMonitor(services)
        await platform.apply(services, OPERATOR, file_of(m=GOOD))
        await guard.look()
        mine = await accounts.create(services, OPERATOR, name="mine")
        await accounts.change(services, OPERATOR, mine.id, multiplier="0.4")
        await guard.look()
        assert figures(guard) == {"m": 0}  # looked at a moment ago
        clock.ms += 60_000
        await guard.look()
        assert figures(guard) == {"m": 1}

    run(tmp_path, scenario)
