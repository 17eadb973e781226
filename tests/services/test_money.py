"""Credit, refunds, codes, budgets, limits and prices: durable, audited, and in force when the action returns."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tests.services.harness import NOW_MS, OPERATOR, SettableClock, audited, of_account, run
from tests.store.samples import request
from tollhouse.core.account import Account
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.audit import Actor
from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.charge import Charge
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound, ScopeMissing
from tollhouse.core.ids import make_id
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import accounts, budgets, codes, credits, keys, ledger, limits, platform  # noqa: A004 - the noun
from tollhouse.services.context import ServiceContext

DAY_MS = 86_400_000


def call(number: int, account_id: str, amount: int, **changed: Any) -> UsageRecord:
    overrun, counted = changed.pop("overrun", 0), changed.pop("budgets", ())
    time_ms = changed.pop("time_ms", NOW_MS)
    return request(
        number,
        id=make_id("req", time_ms, number.to_bytes(10, "big")),
        time_ms=time_ms,
        account_id=account_id,
        mode="live",
        charge=Charge(amount=amount, price_id="price_1", overrun=overrun, budgets=counted),
        **changed,
    )


async def commit(services: ServiceContext, *calls: UsageRecord) -> None:
    await asyncio.gather(*(services.rows.writer.commit(one) for one in calls))  # type: ignore[attr-defined]


async def sound(services: ServiceContext) -> None:
    found = await ledger.verify(services, OPERATOR)
    assert found.flaws == ()


async def owner_of(services: ServiceContext, name: str = "mine", **more: Any) -> tuple[Account, Actor]:
    account = await accounts.create(services, OPERATOR, name=name, **more)
    return account, of_account(account.id)


def test_credit_is_there_when_the_deed_returns(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, owner = await owner_of(services, credit_limit_usd="2")
        assert services.counters.money(mine.id).limit == 2 * USD
        entry = await credits.grant(services, OPERATOR, "mine", "0.000000001", reason="a start")
        assert (entry.transfer.amount, entry.balance, entry.sequence) == (1, 1, 1)
        await credits.grant(services, OPERATOR, mine.id, "10", expires_at_ms=NOW_MS + 1)
        await credits.adjust(services, OPERATOR, account=mine.id, amount_usd="-3", reason="counted twice")
        assert services.counters.money(mine.id).limit == 9 * USD + 1
        account = await accounts.set_credit_limit(services, OPERATOR, "mine", "unlimited")
        assert (account.credit_limit, services.counters.money(mine.id).limit) == (None, None)
        await accounts.set_credit_limit(services, OPERATOR, "mine", "0.5")
        assert services.counters.money(mine.id).limit == 7 * USD + USD // 2 + 1
        listed = await credits.list_page(services, owner)
        assert sorted(one.transfer.amount for one in listed.records) == [-3 * USD, 1, 10 * USD]
        rows = await audited(services, entry.transfer.id)
        assert [(row.action, row.account_id, row.after["usd"]) for row in rows] == [
            ("credits.grant", mine.id, "0.000000001")
        ]
        await sound(services)

    run(tmp_path, scenario)


@pytest.mark.parametrize("usd", ["0", "-1", "1e3", "0.0000000001", "", " 1", "1,5", "nan", "9000000001"])
def test_what_is_no_amount_is_never_rounded_into_one(tmp_path: Path, usd: str) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await owner_of(services)
        with pytest.raises(BadRequest) as refused:
            await credits.grant(services, OPERATOR, mine.id, usd)
        assert refused.value.param == "amount_usd"
        if usd != "0":
            with pytest.raises(BadRequest, match=r"^amount_usd: "):
                await budgets.put(services, OPERATOR, amount_usd=usd, window="day", account=mine.id)

    run(tmp_path, scenario)


def test_more_than_can_be_counted_is_refused(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await owner_of(services)
        await credits.grant(services, OPERATOR, mine.id, "9000000000")
        with pytest.raises(Conflict):
            await credits.grant(services, OPERATOR, mine.id, "9000000000")
        assert services.counters.money(mine.id).limit == 9 * 10**18

    run(tmp_path, scenario)


def test_owners_give_themselves_nothing(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, owner = await owner_of(services)
        for transaction in (
            credits.grant(services, owner, mine.id, "1"),
            credits.adjust(services, owner, account=mine.id, amount_usd="1", reason="x"),
            credits.refund(services, owner, "req_1"),
            codes.create(services, owner, "1"),
            codes.list_page(services, owner),
            accounts.set_credit_limit(services, owner, mine.id, "1"),
            limits.put(services, owner, {"requests_per_minute": 1}, account=mine.id),
            budgets.put(services, owner, amount_usd="1", window="day", account=mine.id, system=True),
            ledger.verify(services, owner),
        ):
            with pytest.raises(ScopeMissing):
                await transaction
        other, _ = await owner_of(services, "other")
        with pytest.raises(PathNotFound):
            await budgets.put(services, owner, amount_usd="1", window="day", account=other.id)
        with pytest.raises(PathNotFound):
            await ledger.statement(services, owner, other.id)

    run(tmp_path, scenario)


def test_a_call_is_refunded_once_at_most_what_it_was_charged(tmp_path: Path) -> None:
    """M: refunds asked for at the same time, and again after a restart, give the money back once."""

    async def first(services: ServiceContext, clock: SettableClock) -> tuple[str, str]:
        mine, _ = await owner_of(services)
        one, other = call(1, mine.id, 30, overrun=10), call(2, mine.id, 8)
        await commit(services, one, other, call(3, mine.id, 0))
        with pytest.raises(BadRequest):
            await credits.refund(services, OPERATOR, one.id, amount_usd="0.000000031")
        found = await asyncio.gather(*(credits.refund(services, OPERATOR, one.id) for _ in range(8)))
        assert {(entry.transfer.id, entry.transfer.amount) for entry in found} == {(found[0].transfer.id, 30)}
        part = await credits.refund(services, OPERATOR, other.id, amount_usd="0.000000003", reason="slow")
        assert (part.transfer.amount, part.transfer.refers_to) == (3, f"txn_{other.id[4:]}")
        with pytest.raises(Conflict):
            await credits.refund(services, OPERATOR, other.id, amount_usd="0.000000005")
        with pytest.raises(BadRequest):
            await credits.refund(services, OPERATOR, call(3, mine.id, 0).id)
        with pytest.raises(PathNotFound):
            await credits.refund(services, OPERATOR, "req_unknown")
        assert services.counters.money(mine.id).limit == 33
        assert len([row for row in await audited(services) if row.action == "credits.refund"]) == 2
        await sound(services)
        return one.id, found[0].transfer.id

    request_id, txn = run(tmp_path, first)

    async def again(services: ServiceContext, clock: SettableClock) -> None:
        assert (await credits.refund(services, OPERATOR, request_id)).transfer.id == txn
        await sound(services)

    run(tmp_path, again)


def test_a_code_is_good_once_however_many_redeem_it_at_once(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, owner = await owner_of(services)
        minted = await codes.create(services, OPERATOR, "5", count=3, note="fair", expires_at_ms=NOW_MS + 1000)
        assert len({one.secret for one in minted}) == 3
        told = await asyncio.gather(
            *(codes.redeem(services, OPERATOR, minted[0].secret, mine.id) for _ in range(64)), return_exceptions=True
        )
        assert sum(not isinstance(one, BaseException) for one in told) == 1
        assert {type(one) for one in told if isinstance(one, BaseException)} == {BadRequest}
        assert services.counters.money(mine.id).limit == 5 * USD
        # As people type it.
        entry = await codes.redeem(services, owner, f" {minted[1].secret.lower().replace('-', ' ').replace('1', 'l')} ")
        assert (entry.balance, entry.transfer.kind, entry.transfer.refers_to) == (10 * USD, "top_up", minted[1].code.id)
        clock.ms += 1000
        for text in (minted[2].secret, "", "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA", "\x00" * 300):
            with pytest.raises(BadRequest):
                await codes.redeem(services, owner, text)
        listed = (await codes.list_page(services, OPERATOR)).records
        assert sorted(one.redeemed_by or "" for one in listed) == ["", mine.id, mine.id]
        kept = str([structs.asdict(row) for row in await audited(services)]) + str(listed)
        assert not any(one.secret in kept or one.secret.replace("-", "") in kept for one in minted)
        await sound(services)

    run(tmp_path, scenario)


def test_a_new_budget_counts_what_its_window_already_holds(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.catalogue = structs.replace(services.catalogue, models={"gpt-4": Model(id="gpt-4")})
        mine, owner = await owner_of(services)
        key = (await keys.create(services, owner, name="ci")).key
        await commit(
            services,
            call(1, mine.id, 7, key_id=key.id, model="gpt-4"),
            call(2, mine.id, 5, key_id="key_other", model="gpt-5"),
            call(3, mine.id, 100, key_id=key.id, time_ms=NOW_MS - 40 * DAY_MS),
        )

        async def spent(**where: Any) -> int:
            budget = await budgets.put(services, owner, amount_usd="1", **where)
            return services.counters.put_budget(budget, clock.ms).spent

        assert await spent(window="month", account=mine.id) == 12
        assert await spent(window="day", account=mine.id, model="gpt-4") == 7
        assert await spent(window="day", account=mine.id, model="gpt-*") == 12
        assert await spent(window="week", key=key.id) == 7
        assert await spent(window="total", account=mine.id) == 0
        await sound(services)

    run(tmp_path, scenario)


def test_a_budget_on_an_alias_binds_the_calls_of_its_model(tmp_path: Path) -> None:
    """Calls are counted by the model's own name: on the other name the budget was there, and never bound."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        model = Model(id="house-1-2026-01-01", aliases=("house-1", "house-1-latest"))
        services.catalogue = structs.replace(services.catalogue, models={model.id: model})
        mine, owner = await owner_of(services)
        key = (await keys.create(services, owner, name="ci")).key
        made = await budgets.put(services, owner, amount_usd="1", window="day", account=mine.id, model="house-1-latest")
        assert made.model == model.id
        assert [counter.id for counter in services.counters.of(key, NOW_MS, model.id)] == [made.id, mine.id]
        again = await budgets.put(services, owner, amount_usd="2", window="day", account=mine.id, model="house-1")
        assert again.id == made.id

    run(tmp_path, scenario)


def test_a_new_budget_counts_nothing_of_later_windows(tmp_path: Path) -> None:
    """The clock was ahead, calls were charged, and it was set right: they are tomorrow's."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, owner = await owner_of(services)
        await commit(services, call(1, mine.id, 7), call(2, mine.id, 100, time_ms=NOW_MS + 2 * DAY_MS))
        budget = await budgets.put(services, owner, amount_usd="1", window="day", account=mine.id)
        assert services.counters.put_budget(budget, clock.ms).spent == 7
        await sound(services)

    run(tmp_path, scenario)


def test_a_budget_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, owner = await owner_of(services)
        first = await budgets.put(services, owner, amount_usd="1", window="day", account="mine", soft=(80, 50))
        start_ms = first.window(NOW_MS).start_ms
        await commit(services, call(1, mine.id, 7, budgets=((first.id, start_ms),)))
        again = await budgets.put(services, owner, amount_usd="0", window="day", account="mine")
        assert (again.id, again.amount, again.soft, first.soft) == (first.id, 0, (), (50, 80))
        elsewhere = await budgets.put(
            services, owner, amount_usd="2", window="day", account="mine", zone="Asia/Kathmandu"
        )
        assert elsewhere.id != first.id
        by_operator = await budgets.put(
            services, OPERATOR, amount_usd="3", window="day", account="mine", zone="Asia/Kathmandu", system=True
        )
        listed = (await budgets.list_page(services, owner)).records
        assert {one.id for one in listed} == {elsewhere.id, by_operator.id}
        with pytest.raises(ScopeMissing):
            await budgets.remove(services, owner, by_operator.id)
        with pytest.raises(PathNotFound):
            await budgets.remove(services, of_account("acc_other"), elsewhere.id)
        await budgets.remove(services, owner, elsewhere.id)
        with pytest.raises(PathNotFound):
            await budgets.remove(services, owner, elsewhere.id)
        key = (await keys.create(services, owner, name="ci")).key
        assert [one.id for one in services.counters.budgets(key)] == [by_operator.id]
        await sound(services)

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"window": "year"}, "window"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"soft": (0,)}, "soft"),
        ({"soft": (101,)}, "soft"),
        ({"model": "*"}, "model"),
        ({"mail": "nobody"}, "mail"),
        ({"webhook": "ftp://x"}, "webhook"),
        ({"account": None}, "account"),
        ({"project": "default"}, "account"),
    ],
)
def test_a_budget_that_cannot_be_names_the_field(tmp_path: Path, wrong: dict[str, Any], param: str) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await owner_of(services)
        with pytest.raises(BadRequest) as refused:
            await budgets.put(services, OPERATOR, **{"amount_usd": "1", "window": "day", "account": "mine", **wrong})
        assert refused.value.param in (param, "email")

    run(tmp_path, scenario)


def test_the_operators_ceiling_comes_with_the_plan(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        plans = {
            name: structs.replace(plan, system_hard_limit_usd="1000") for name, plan in services.catalogue.plans.items()
        }
        services.catalogue = structs.replace(services.catalogue, plans=plans)
        _, owner = await owner_of(services)
        key = (await keys.create(services, owner, name="ci")).key
        (ceiling,) = services.counters.budgets(key)
        assert (ceiling.amount, ceiling.kind, ceiling.system) == (1000 * USD, "month", True)
        assert [one.id for one in (await budgets.list_page(services, owner)).records] == [ceiling.id]

    run(tmp_path, scenario)


def test_a_changed_price_is_a_new_row_from_now_on(tmp_path: Path) -> None:
    def priced(**price: str) -> Catalogue:
        return Catalogue(models={"gpt": Model(id="gpt", price={**price})})

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await platform.apply(services, OPERATOR, priced(input="2.50"))
        first = services.prices.find("gpt", clock.ms)
        clock.ms += 10
        await platform.apply(services, OPERATOR, priced(input="2.50"))
        assert services.prices.find("gpt", clock.ms) == first
        await platform.apply(services, OPERATOR, priced(input="3"))
        second = services.prices.find("gpt", clock.ms)
        assert first is not None
        assert second is not None
        assert (second.effective_from_ms, second.tiers[0].per_million["input"]) == (clock.ms, 3 * USD)
        assert services.prices.find("gpt", clock.ms - 1) == first
        with pytest.raises(BadRequest) as refused:
            await platform.apply(services, OPERATOR, priced(output="3"))
        assert refused.value.param == "models.gpt.price.input"
        assert services.prices.find("gpt", clock.ms) == second
        store: Any = services.rows
        assert (await store.load_prices()).find("gpt", clock.ms) == second

    run(tmp_path, scenario)


def test_a_price_holds_also_where_a_wrong_clock_had_set_others(tmp_path: Path) -> None:
    """The clock was ahead by days, a price was changed twice then; it was set right, the process began anew, and the
    price was changed again."""

    def priced(usd: str) -> Catalogue:
        return Catalogue(models={"gpt": Model(id="gpt", price={"input": usd})})

    async def ahead(services: ServiceContext, clock: SettableClock) -> None:
        await platform.apply(services, OPERATOR, priced("1"))
        clock.ms += 40 * DAY_MS
        await platform.apply(services, OPERATOR, priced("2"))
        clock.ms = NOW_MS + 1
        await platform.apply(services, OPERATOR, priced("3"))

    async def set_right(services: ServiceContext, clock: SettableClock) -> None:
        services.catalogue = await services.rows.read(lambda tables: tables.catalogue.load())
        await platform.apply(services, OPERATOR, priced("4"))
        store: Any = services.rows
        for lists in (services.prices, await store.load_prices()):
            for at_ms in (NOW_MS, NOW_MS + 1, NOW_MS + 41 * DAY_MS):
                found = lists.find("gpt", at_ms)
                assert found is not None
                assert found.tiers[0].per_million["input"] == 4 * USD

    run(tmp_path, ahead)
    run(tmp_path, set_right)


def test_a_statement_adds_up(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, owner = await owner_of(services)
        await credits.grant(services, OPERATOR, mine.id, "1")
        await commit(services, call(1, mine.id, 7), call(2, mine.id, 5), call(3, mine.id, 2, time_ms=NOW_MS + DAY_MS))
        clock.ms += 40 * DAY_MS
        await credits.adjust(services, OPERATOR, account=mine.id, amount_usd="-0.5", reason="contract")
        await commit(services, call(4, mine.id, 11, time_ms=clock.ms))
        month = await ledger.statement(services, owner, month="2026-09")
        assert [(line.kind, line.amount) for line in month.lines] == [("charge", -12), ("grant", USD), ("charge", -2)]
        assert (month.opening, month.closing) == (0, USD - 14)
        now = await ledger.statement(services, owner)
        between = await ledger.statement(services, owner, month="2026-10")
        assert between.opening == month.closing
        assert now.opening in (between.closing, month.closing)
        money = await services.rows.read(lambda tables: tables.ledger.money(mine.id))
        assert (now.closing, now.hash) == (money.balance, money.hash)
        for text in ("2026-13", "26-1", "", "2026-09-01", "1969-12"):
            with pytest.raises(BadRequest):
                await ledger.statement(services, owner, month=text)

    run(tmp_path, scenario)
