"""Price lists: a file is a draft, a draft becomes rows from an instant on, rows are added and never changed; what
platform.toml prices is the file's to say."""

from pathlib import Path
from typing import Any

import pytest

from tests.services.harness import OPERATOR, SettableClock, audited, of_account, run
from tests.services.prices_brought import brought, file_of
from tollhouse.billing.price_list import Terms
from tollhouse.core.catalogue import Catalogue, Provider
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound, ScopeMissing
from tollhouse.services import accounts, platform, price_lists
from tollhouse.services.context import ServiceContext

DAY_MS = 86_400_000
RETAIL = Terms("retail")


def input_of(services: ServiceContext, model: str, at_ms: int, terms: Terms | None = None) -> int | None:
    """In cents per million tokens."""
    price = services.prices.find(model, at_ms, terms)
    return None if price is None else price.rates(1).per_million["input"] // 10**7


async def loaded(services: ServiceContext) -> ServiceContext:
    """As a restart finds it."""
    store: Any = services.rows
    services.prices = await store.load_prices()
    return services


def test_a_draft_sells_nothing_and_activated_sells_from_its_instant_on(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await platform.apply(services, OPERATOR, file_of(m={"price": {"input": "2"}}))
        draft = await brought(services, b"model,input,output\nm,3,9\nn,5,6\n", "retail")
        assert input_of(services, "m", clock.ms, RETAIL) == 200
        at = clock.ms + DAY_MS
        active = (await price_lists.activate(services, OPERATOR, draft.id, at)).draft
        assert (active.activated_at_ms, active.effective_from_ms) == (clock.ms, at)
        for _ in range(2):
            assert [input_of(services, "m", when, RETAIL) for when in (at - 1, at)] == [200, 300]
            assert [input_of(services, "n", when, RETAIL) for when in (at - 1, at)] == [None, 500]
            assert [input_of(services, name, at) for name in "mn"] == [200, None]  # who buys by the default list
            await loaded(services)
        assert [(row.action, row.after) for row in await audited(services, draft.id)] == [
            ("price.import", {"list": "retail", "models": 2}),
            ("price.activate", {"list": "retail", "models": 2, "effective_from_ms": at}),
        ]

    run(tmp_path, scenario)


def test_one_bad_price_refuses_the_file_whole_and_breaks_nothing_in_force(tmp_path: Path) -> None:
    """litellm 12913: one bad price file broke every model."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        good = await brought(services, b"model,input\nm,3\n")
        await price_lists.activate(services, OPERATOR, good.id)
        with pytest.raises(BadRequest, match="line 3: n: input: '5e-6' is not an amount") as refused:
            await price_lists.bring(services, OPERATOR, b"model,input\nm,4\nn,5e-6\n")
        assert refused.value.param == "file"
        for catalogue in (file_of(m={"price": {"input": "-1"}}), file_of(m={"price": {"output": "1"}})):
            with pytest.raises(BadRequest, match=r"models\.m\.price"):
                await platform.apply(services, OPERATOR, catalogue)
        assert [input_of(services, "m", clock.ms), input_of(await loaded(services), "m", clock.ms)] == [300, 300]
        assert len((await price_lists.drafts(services, OPERATOR)).records) == 1

    run(tmp_path, scenario)


def test_a_bad_cost_is_refused_naming_the_provider_and_its_model(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        provider = Provider(id="up", kind="simulator", cost={"m-up": {"output": "4"}})
        with pytest.raises(BadRequest) as refused:
            await platform.apply(services, OPERATOR, Catalogue(providers={"up": provider}))
        assert refused.value.param == "providers.up.cost.m-up.input"

    run(tmp_path, scenario)


def test_an_instant_that_is_over_and_a_second_activation_are_refused(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        draft = await brought(services, b'{"m": {"input": "3"}}')
        for at in (clock.ms - 1, 0, 10**15):
            with pytest.raises(BadRequest) as refused:
                await price_lists.activate(services, OPERATOR, draft.id, at)
            assert refused.value.param == "at"
        assert input_of(services, "m", clock.ms) is None
        await price_lists.activate(services, OPERATOR, draft.id, clock.ms)
        assert input_of(services, "m", clock.ms) == 300
        with pytest.raises(Conflict):
            await price_lists.activate(services, OPERATOR, draft.id)
        assert len(await price_lists.rows(services, OPERATOR, past=True)) == 1

    run(tmp_path, scenario)


def test_what_the_file_prices_is_the_files_to_say(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await platform.apply(services, OPERATOR, file_of(m={"price": {"input": "2"}}, n={}, f={"free": True}))
        drafted = await price_lists.bring(services, OPERATOR, b'{"m": {"input": "3"}, "f": {"input": "3"}}')
        assert drafted.warnings[0].startswith("m: platform.toml says the price")
        assert drafted.warnings[1].startswith("f: free")
        with pytest.raises(BadRequest, match=r"platform\.toml prices m: change that there, or import"):
            await price_lists.activate(services, OPERATOR, drafted.draft.id)
        assert input_of(services, "m", clock.ms) == 200
        other = await brought(services, b'{"n": {"input": "7"}}')  # in the file, but without a price there
        await price_lists.activate(services, OPERATOR, other.id)
        assert input_of(services, "n", clock.ms) == 700
        await platform.apply(services, OPERATOR, file_of(m={"price": {"input": "2"}}, n={}))  # and an apply leaves it
        assert input_of(services, "n", clock.ms) == 700

    run(tmp_path, scenario)


def test_a_price_that_the_file_takes_over_is_its_own_also_where_another_was_scheduled(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await platform.apply(services, OPERATOR, file_of(n={}))
        draft, later = await brought(services, b'{"n": {"input": "7"}}'), clock.ms + DAY_MS
        await price_lists.activate(services, OPERATOR, draft.id, later)
        priced = file_of(n={"price": {"input": "4"}})
        await platform.apply(services, OPERATOR, priced)
        assert [input_of(services, "n", at) for at in (clock.ms, later, later + DAY_MS)] == [400, 400, 400]
        rows = await price_lists.rows(services, OPERATOR, past=True)
        await platform.apply(services, OPERATOR, priced)
        assert await price_lists.rows(services, OPERATOR, past=True) == rows  # the same twice adds nothing
        clock.ms += 5
        await platform.apply(services, OPERATOR, file_of(n={}))  # and it withdraws all that it said
        assert [input_of(services, "n", at) for at in (clock.ms - 1, clock.ms, later)] == [400, None, None]
        assert [input_of(await loaded(services), "n", at) for at in (clock.ms - 1, clock.ms, later)] == [
            400,
            None,
            None,
        ]

    run(tmp_path, scenario)


def test_a_price_that_the_file_withdraws_sells_nothing_and_comes_back_with_it(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        priced = file_of(m={"price": {"input": "2"}})
        for catalogue, expected in (
            *((priced, 200), (file_of(m={}), None), (priced, 200), (file_of(m={"free": True}), None)),
            *((priced, 200), (Catalogue(), None), (priced, 200)),
        ):
            clock.ms += 10
            await platform.apply(services, OPERATOR, catalogue)
            assert [input_of(one, "m", clock.ms) for one in (services, await loaded(services))] == [expected, expected]

    run(tmp_path, scenario)


def test_rows_say_which_of_them_hold(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        first = await brought(services, b'{"m": {"input": "1"}}', "retail")
        second = await brought(services, b'{"m": {"input": "2"}, "n": {"input": "2"}}', "retail")
        third = await brought(services, b'{"m": null}', "retail")
        fourth = await brought(services, b'{"m": {"input": "4"}}', "retail")
        for draft, at in ((first, None), (second, clock.ms), (third, clock.ms + 5), (fourth, clock.ms + 5)):
            await price_lists.activate(services, OPERATOR, draft.id, at)
        held = [(one.row.draft_id, one.row.model, one.state) for one in await price_lists.rows(services, OPERATOR)]
        assert held == [
            (fourth.id, "m", "scheduled"),
            (second.id, "m", "in_force"),
            (second.id, "n", "in_force"),
        ]
        assert [input_of(services, "m", at, RETAIL) for at in (clock.ms, clock.ms + 5)] == [200, 400]
        every = await price_lists.rows(services, OPERATOR, model="m", list="retail", past=True)
        assert [one.state for one in every] == ["scheduled", "past", "in_force", "past"]
        assert await price_lists.rows(services, OPERATOR, list="other") == ()

    run(tmp_path, scenario)


def test_a_draft_warns_of_unknown_models_and_of_losses_at_what_accounts_pay(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await platform.apply(services, OPERATOR, file_of(house={}, home={}))
        mine = await accounts.create(services, OPERATOR, name="mine")
        await accounts.change(services, OPERATOR, mine.id, multiplier="0.5")
        data = "model,input,output\nhuose,9,\nhouse,1.5,9\nhome,3,9\n"
        drafted = await price_lists.bring(services, OPERATOR, data.encode())
        assert drafted.warnings == (
            "huose: there is no such model yet; the nearest is house",
            "house: below cost: input, cache_read, cache_write_5m, cache_write_1h, audio_in, image_in of up/m-up"
            " by list default at 0.5 times",
        )
        assert await price_lists.draft_of(services, OPERATOR, drafted.draft.id) == drafted
        many = "model,input\n" + "".join(f"m-{number},1\n" for number in range(8))
        assert (await price_lists.bring(services, OPERATOR, many.encode())).warnings[-1].startswith("m-5, m-6, m-7: ")

    run(tmp_path, scenario)


def test_price_lists_are_the_operators(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        draft = await brought(services, b'{"m": {"input": "3"}}')
        owner = of_account("acc_1")
        for transaction in (
            price_lists.bring(services, owner, b'{"m": {"input": "3"}}'),
            price_lists.activate(services, owner, draft.id),
            price_lists.draft_of(services, owner, draft.id),
            price_lists.drafts(services, owner),
            price_lists.rows(services, owner),
        ):
            with pytest.raises(ScopeMissing):
                await transaction
        with pytest.raises(PathNotFound):
            await price_lists.activate(services, OPERATOR, "draft_none")
        with pytest.raises(BadRequest) as refused:
            await price_lists.bring(services, OPERATOR, b"", "re tail")
        assert refused.value.param == "list"

    run(tmp_path, scenario)


def test_an_account_buys_by_the_terms_it_was_given(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine = await accounts.create(services, OPERATOR, name="mine")
        with pytest.raises(BadRequest, match="'retial' has no prices; there is default"):
            await accounts.change(services, OPERATOR, "mine", price_list="retial")
        draft = await brought(services, b'{"m": {"input": "3"}}', "retail")
        await price_lists.activate(services, OPERATOR, draft.id, clock.ms + DAY_MS)
        changed = await accounts.change(
            services, OPERATOR, "mine", price_list="retail", multiplier="1.2", groups=("vip", "vip")
        )
        assert (changed.price_list, changed.multiplier_ppm, changed.groups) == ("retail", 1_200_000, ("vip",))
        assert services.directory.accounts[mine.id] == changed
        assert await services.rows.read(lambda tables: tables.accounts.get(mine.id)) == changed
        assert await accounts.change(services, OPERATOR, "mine", groups=(), price_list="default") != changed
        assert (await audited(services, mine.id))[-1].before == {"price_list": "retail", "groups": ["vip"]}
        for given in ({"multiplier": "-1"}, {"multiplier": "1.0000001"}, {"multiplier": "1001"}, {"groups": [""]}, {}):
            with pytest.raises(BadRequest):
                await accounts.change(services, OPERATOR, "mine", **given)
        with pytest.raises(ScopeMissing):
            await accounts.change(services, of_account(mine.id), mine.id, multiplier="0.1")

    run(tmp_path, scenario)
