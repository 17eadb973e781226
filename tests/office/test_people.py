"""Who signs in: passwords are hashed, and nobody learns which addresses are known."""

from pathlib import Path

import pytest
from msgspec import structs

from tests.office.scene import OPERATOR, HandClock, audited, of_account, run
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound, ScopeMissing
from tollhouse.office import accounts, people
from tollhouse.office.office import Office

PASSWORD = "viaduct lemon parade socket"


def test_a_person_signs_in_with_address_and_password(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        account = await accounts.create(office, OPERATOR, name="a")
        owner = await people.create(
            office, OPERATOR, email="Owner@Example.org", password=PASSWORD, role="owner", account="a"
        )
        boss = await people.create(office, OPERATOR, email="boss@example.org", password=PASSWORD, role="operator")
        assert (owner.account_id, boss.account_id) == (account.id, None)
        assert owner.password_hash.startswith("$argon2id$")
        assert owner.password_hash != boss.password_hash
        assert await people.recognise(office, " owner@EXAMPLE.org", PASSWORD) == owner
        assert await people.recognise(office, "owner@example.org", PASSWORD + "x") is None
        assert await people.recognise(office, "nobody@example.org", PASSWORD) is None
        rows = await audited(office)
        assert rows[-1].action == "person.create"
        assert "password" not in str(rows[-1].after)

    run(tmp_path, scene)
    for file in tmp_path.iterdir():
        assert PASSWORD.encode() not in file.read_bytes()


def test_nobodys_hash_costs_as_much_as_anybodys() -> None:
    assert not people._HASHER.check_needs_rehash(people.NOBODY)
    assert not people._verify(people.NOBODY, "")


def test_a_disabled_person_is_not_recognised(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        await accounts.create(office, OPERATOR, name="a")
        person = await people.create(
            office, OPERATOR, email="a@b.example", password=PASSWORD, role="viewer", account="a"
        )
        await office.rows.change(lambda tables: tables.people.save(structs.replace(person, state="disabled")))
        assert await people.recognise(office, "a@b.example", PASSWORD) is None

    run(tmp_path, scene)


def test_who_may_not_be_is_refused(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        account = await accounts.create(office, OPERATOR, name="a")

        async def create(actor: object = OPERATOR, **changed: object) -> None:
            given = {"email": "a@b.example", "password": PASSWORD, "role": "owner", "account": "a"} | changed
            await people.create(office, actor, **given)  # type: ignore[arg-type]

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

    run(tmp_path, scene)
