"""Who signs in: passwords are hashed, and nobody learns which addresses are known."""

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from tests.services.harness import OPERATOR, SettableClock, audited, of_account, run
from tests.support.quick_hashing import quick_hashing
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound, ScopeMissing
from tollhouse.services import accounts, hashing, people
from tollhouse.services.context import ServiceContext

PASSWORD = "viaduct lemon parade socket"


def test_a_person_signs_in_with_address_and_password(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account = await accounts.create(services, OPERATOR, name="a")
        owner = await people.create(
            services, OPERATOR, email="Owner@Example.org", password=PASSWORD, role="owner", account="a"
        )
        boss = await people.create(services, OPERATOR, email="boss@example.org", password=PASSWORD, role="operator")
        assert (owner.account_id, boss.account_id) == (account.id, None)
        assert owner.password_hash.startswith("$argon2id$")
        assert owner.password_hash != boss.password_hash
        assert await people.recognise(services, " owner@EXAMPLE.org", PASSWORD) == owner
        assert await people.recognise(services, "owner@example.org", PASSWORD + "x") is None
        assert await people.recognise(services, "nobody@example.org", PASSWORD) is None
        rows = await audited(services)
        assert rows[-1].action == "person.create"
        assert "password" not in str(rows[-1].after)

    run(tmp_path, scenario)
    for file in tmp_path.iterdir():
        assert PASSWORD.encode() not in file.read_bytes()


def test_nobodys_hash_costs_as_much_as_anybodys() -> None:
    for used in (hashing.PasswordHashing(), quick_hashing()):
        assert not used._hasher.check_needs_rehash(used.nobody)
        assert not asyncio.run(used.is_right(used.nobody, ""))


def test_a_disabled_person_is_not_recognised(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await accounts.create(services, OPERATOR, name="a")
        person = await people.create(
            services, OPERATOR, email="a@b.example", password=PASSWORD, role="viewer", account="a"
        )
        await services.rows.change(lambda tables: tables.people.save(structs.replace(person, state="disabled")))
        assert await people.recognise(services, "a@b.example", PASSWORD) is None

    run(tmp_path, scenario)


def test_who_may_not_be_is_refused(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account = await accounts.create(services, OPERATOR, name="a")

        async def create(actor: object = OPERATOR, **changed: object) -> None:
            given = {"email": "a@b.example", "password": PASSWORD, "role": "owner", "account": "a"} | changed
            await people.create(services, actor, **given)  # type: ignore[arg-type]

        for changed in (
            {"email": "nobody"},
            {"password": "short"},
            {"role": "operator"},
            {"role": "owner", "account": None},
        ):
            with pytest.raises(BadRequest):
                await create(**changed)
        with pytest.raises(PathNotFound):
            await create(account="b")
        with pytest.raises(ScopeMissing):
            await create(of_account(account.id), account=None, role="operator")
        await create()
        with pytest.raises(Conflict):
            await create(email="A@B.example", role="viewer")

    run(tmp_path, scenario)
