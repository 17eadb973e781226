"""The configuration: plan shows, apply does all or nothing, and no secret is stored or shown."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec import json, structs

from tests.services.harness import OPERATOR, SettableClock, audited, of_account, run
from tollhouse.core.catalogue import Catalogue, Model, Offer, Plan, Provider
from tollhouse.core.failure import BadRequest, Conflict, ScopeMissing
from tollhouse.services import platform
from tollhouse.services.context import ServiceContext
from tollhouse.services.ports import Transactions
from tollhouse.store.readers import DEADLINE_MS
from tollhouse.store.tables import SqlRepositories

T = TypeVar("T")

CANARY = "sk-canary-0123456789"

MAIN = Provider(
    id="main",
    kind="openai",
    base_url="https://provider.example/v1",
    api_keys=("env:MAIN_KEY", CANARY),
    headers={"x-team": "canary-header"},
    proxy="http://user:canary-proxy@proxy.example:8080",
)
GPT = Model(id="gpt-4o", offers=(Offer(provider="main", model="gpt-4o-2024"),), price={"input": "2.50"})
FILE = Catalogue(providers={"main": MAIN}, models={"gpt-4o": GPT}, plans={"default": Plan(id="default")})


class Gateway:
    """What stands behind `prepare`: it may refuse, and it hears what is in force."""

    def __init__(self) -> None:
        self.in_force: list[Catalogue] = []
        self.refuses = False

    def prepare(self, catalogue: Catalogue) -> Callable[[], None]:
        if self.refuses:
            raise BadRequest("environment variable MAIN_KEY is not set")
        return lambda: self.in_force.append(catalogue)


def test_plan_shows_what_apply_does_and_applying_twice_does_nothing(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        gateway = Gateway()
        services.prepare = gateway.prepare
        planned = await platform.plan(services, OPERATOR, FILE)
        assert [(one.action, one.kind, one.id) for one in planned] == [
            ("create", "provider", "main"),
            ("create", "model", "gpt-4o"),
            ("create", "plan", "default"),
        ]
        applied = await platform.apply(services, OPERATOR, FILE)
        assert applied == platform.Applied(1, planned)
        assert services.catalogue == structs.replace(FILE, generation=1)
        assert gateway.in_force == [services.catalogue]
        assert await platform.plan(services, OPERATOR, FILE) == ()
        assert await platform.apply(services, OPERATOR, FILE) == platform.Applied(1, ())
        dearer = structs.replace(GPT, price={"input": "3.00"})
        other = Catalogue(providers={"main": MAIN}, models={"gpt-4o": dearer}, plans={})
        assert await platform.plan(services, OPERATOR, other) == (
            platform.Change(
                kind="model",
                id="gpt-4o",
                action="update",
                before={"price": {"input": "2.50"}},
                after={"price": {"input": "3.00"}},
            ),
            platform.Change(kind="plan", id="default", action="delete", before=structs.asdict(Plan(id="default"))),
        )
        assert (await platform.apply(services, OPERATOR, other)).generation == 2
        assert [(row.action, row.object_id, row.after) for row in await audited(services)] == [
            (
                "platform.apply",
                "generation 1",
                {"provider main": "create", "model gpt-4o": "create", "plan default": "create"},
            ),
            ("platform.apply", "generation 2", {"model gpt-4o": "update", "plan default": "delete"}),
        ]

    run(tmp_path, scenario)


def test_a_secret_that_stands_in_the_file_is_neither_stored_nor_shown(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        planned = await platform.plan(services, OPERATOR, FILE)
        assert b"canary" not in json.encode(planned)
        assert b"env:MAIN_KEY" in json.encode(planned)
        await platform.apply(services, OPERATOR, FILE)
        assert services.catalogue.providers["main"] == MAIN  # in memory it is whole
        changed = structs.replace(MAIN, api_keys=("env:MAIN_KEY", CANARY + "0"))
        seen = await platform.plan(services, OPERATOR, structs.replace(FILE, providers={"main": changed}))
        assert [(one.id, list(one.after)) for one in seen] == [("main", ["api_keys"])]
        assert b"canary" not in json.encode([seen, await audited(services)])

    run(tmp_path, scenario)
    for file in tmp_path.iterdir():
        assert b"canary" not in file.read_bytes()

    async def restart(services: ServiceContext, clock: SettableClock) -> None:
        stored = await services.rows.read(lambda tables: tables.catalogue.load())
        assert platform.missing_secrets(stored) == ("main",)
        assert platform.with_secrets(stored, FILE) == structs.replace(FILE, generation=1)
        assert platform.missing_secrets(platform.with_secrets(stored, FILE)) == ()

    run(tmp_path, restart)


def test_what_the_api_manages_stays_and_what_the_file_names_is_the_files(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        by_api = Provider(id="side", kind="simulator", managed_by="api")
        model = Model(id="m", offers=(Offer(provider="side", model="m"),), managed_by="api")
        before = Catalogue(generation=4, providers={"side": by_api, "main": MAIN}, models={"m": model})
        await services.rows.change(lambda tables: tables.catalogue.save(platform.without_secrets(before), 0))
        await platform.apply(services, OPERATOR, Catalogue())
        assert services.catalogue == Catalogue(generation=5, providers={"side": by_api}, models={"m": model})
        taken = structs.replace(by_api, managed_by="file", kind="openai")
        (change,) = await platform.plan(services, OPERATOR, Catalogue(providers={"side": taken}))
        assert change.after == {"kind": "openai", "managed_by": "file"}

    run(tmp_path, scenario)


def test_an_apply_that_cannot_be_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        gateway = Gateway()
        services.prepare = gateway.prepare
        with pytest.raises(BadRequest, match="'main', which is no provider"):
            await platform.apply(services, OPERATOR, Catalogue(models={"gpt-4o": GPT}))
        gateway.refuses = True
        with pytest.raises(BadRequest, match="MAIN_KEY"):
            await platform.apply(services, OPERATOR, FILE)
        for transaction in (platform.plan, platform.apply):
            with pytest.raises(ScopeMissing):
                await transaction(services, of_account("acc_1"), FILE)
        assert gateway.in_force == []
        assert await services.rows.read(lambda tables: tables.catalogue.load()) == Catalogue()
        assert await audited(services) == []

    run(tmp_path, scenario)


class ReadTogether:
    """Whoever reads goes on when the other has read, too."""

    def __init__(self, rows: Transactions) -> None:
        self.change = rows.change
        self._rows = rows
        self._both = asyncio.Barrier(2)

    async def read(self, question: Callable[[SqlRepositories], T], deadline_ms: int = DEADLINE_MS) -> T:
        found = await self._rows.read(question, deadline_ms)
        await self._both.wait()
        return found


def test_of_two_applies_at_once_one_is_told_to_look_again(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.rows = ReadTogether(services.rows)
        gateway = Gateway()
        services.prepare = gateway.prepare
        other = structs.replace(FILE, plans={})
        outcomes = await asyncio.gather(
            platform.apply(services, OPERATOR, FILE), platform.apply(services, OPERATOR, other), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in outcomes) == ["Applied", "Conflict"]
        assert isinstance(next(one for one in outcomes if isinstance(one, Conflict)), Conflict)
        assert gateway.in_force == [services.catalogue]
        assert services.catalogue.generation == 1

    run(tmp_path, scenario)
