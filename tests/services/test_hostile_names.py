"""D4 and G5: a name is looked up within one's own, and what was repeated or ended costs nothing more."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec import structs

from tests.services.harness import OPERATOR, SettableClock, audited, enter, of_account, run
from tollhouse.access.directory import Directory
from tollhouse.access.secrets import mint
from tollhouse.core.account import Account, ApiKey, Project
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, Conflict, Failure, KeyRefused, PathNotFound, RateLimited
from tollhouse.limits.row_allowance import CHANGES_EVERY_MS
from tollhouse.services import accounts, budgets, keys, limits, maxima, projects, receipts, rotation, usage
from tollhouse.services.context import ServiceContext

FULL_KEY = mint("live", bytes(range(32)))

Look = Callable[[ServiceContext, Actor, str], Awaitable[object]]

LOOKS: dict[str, Look] = {
    "show a key": keys.show,
    "rotate a key": keys.rotate,
    "freeze a key": keys.freeze,
    "list keys of a project": lambda services, actor, name: keys.list_page(services, actor, project=name),
    "list keys of an account": lambda services, actor, name: keys.list_page(services, actor, account=name),
    "archive a project": projects.archive,
    "budget on a key": lambda services, actor, name: budgets.put(
        services, actor, amount_usd="1", window="day", key=name
    ),
    "budget on a project": lambda services, actor, name: budgets.put(
        services, actor, amount_usd="1", window="day", project=name
    ),
    "limit on a key": lambda services, actor, name: limits.put(services, actor, {"requests_per_minute": 1}, key=name),
    "limits of a project": lambda services, actor, name: limits.show(services, actor, project=name),
    "usage of a key": lambda services, actor, name: usage.report(services, actor, key=name),
    "show an account": accounts.show,
}


async def told(look: Awaitable[object]) -> str:
    try:
        found = await look
    except Failure as failure:
        return f"{type(failure).__name__}: {failure.message}"
    return type(found).__name__


async def two_accounts(services: ServiceContext) -> tuple[str, str]:
    mine = await accounts.create(services, OPERATOR, name="mine")
    other = await accounts.create(services, OPERATOR, name="other")
    return mine.id, other.id


@pytest.mark.parametrize("dead", [0, 1, 2])
def test_anothers_object_of_the_name_changes_nothing(tmp_path: Path, dead: int) -> None:
    """Of one's own none of the name is alive; another account has none, then one, then several, alive and dead."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, other = await two_accounts(services)
        for _ in range(dead):
            key = (await keys.create(services, OPERATOR, name="ci", account=mine)).key
            await keys.revoke(services, OPERATOR, key.id)
            place = await projects.create(services, OPERATOR, name="ci", account=mine)
            await projects.archive(services, OPERATOR, place.id)

        async def answers() -> dict[str, str]:
            return {name: await told(look(services, of_account(mine), "ci")) for name, look in LOOKS.items()}

        before = await answers()
        made = (await keys.create(services, OPERATOR, name="ci", account=other)).key
        await projects.create(services, OPERATOR, name="ci", account=other)
        await accounts.create(services, OPERATOR, name="ci")
        assert await answers() == before
        await keys.create(services, OPERATOR, name="ci", account=other)
        await keys.revoke(services, OPERATOR, made.id)
        assert await answers() == before

    run(tmp_path, scenario)


def test_a_name_that_is_anothers_id_means_ones_own(tmp_path: Path) -> None:
    """Such a name was given before names of this form were refused."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, other = await two_accounts(services)
        foreign = (await keys.create(services, OPERATOR, name="a", account=other)).key
        own = (await keys.create(services, OPERATOR, name="b", account=mine)).key
        with pytest.raises(BadRequest, match="looks like an id"):
            await keys.create(services, OPERATOR, name=foreign.id, account=mine)
        services.directory.put_key(structs.replace(own, name=foreign.id))
        assert (await keys.show(services, of_account(mine), foreign.id)).id == own.id
        assert (await keys.show(services, of_account(other), foreign.id)).id == foreign.id

    run(tmp_path, scenario)


def test_an_api_key_reaches_itself_and_its_project_only(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await two_accounts(services)
        key = (await keys.create(services, OPERATOR, name="ci", account=mine)).key
        actor = Actor(kind="api_key", id=key.id, account_id=mine)
        await keys.create(services, OPERATOR, name="sibling", account=mine)
        for _ in range(2):
            await keys.create(services, OPERATOR, name="twice", account=mine)
        await keys.create(services, OPERATOR, name="ci", account=mine)
        await projects.create(services, OPERATOR, name="else", account=mine)
        assert (await keys.show(services, actor, "ci")).id == key.id
        for name in ("sibling", "twice", "nobody"):
            with pytest.raises(PathNotFound, match=f"^no key {name}$"):
                await keys.show(services, actor, name)
        for name in ("else", "nobody"):
            with pytest.raises(PathNotFound, match=f"^no project {name}$"):
                receipts.wanted_by(services, actor, project=name)
        assert receipts.wanted_by(services, actor, project="default").project_id == key.project_id

    run(tmp_path, scenario)


class CountedCalls(dict[str, ApiKey]):
    """Keys by id, counting how many are looked at."""

    looked = 0

    def __getitem__(self, key: str) -> ApiKey:
        CountedCalls.looked += 1
        return super().__getitem__(key)


@pytest.mark.parametrize("others", [0, 500])
def test_a_look_up_costs_the_same_whatever_others_and_the_dead_are_called(others: int) -> None:
    mine = Account(id="acc_m", name="mine", created_at_ms=0)
    other = Account(id="acc_o", name="other", created_at_ms=0)
    places = [Project(id=f"proj_{one.id}", account_id=one.id, name="default", created_at_ms=0) for one in (mine, other)]
    directory = Directory([mine, other], places)
    key = ApiKey(id="key_0", account_id="acc_m", project_id="proj_acc_m", name="ci", created_at_ms=0)
    directory.put_key(key)
    for number in range(others):
        foreign = structs.replace(key, id=f"key_o{number}", account_id="acc_o", project_id="proj_acc_o")
        directory.put_key(foreign)
        directory.put_key(structs.replace(key, id=f"key_d{number}", state="revoked"))
    directory.keys = CountedCalls(directory.keys)
    CountedCalls.looked = 0
    assert [one.id for one in directory.keys_called("ci", "acc_m")] == ["key_0"]
    assert CountedCalls.looked == 1
    assert directory.keys_in_use("acc_m") == 1
    assert directory.keys_in_use("acc_o") == others


def test_two_hundred_rotations_leave_five_secrets_and_two_hundred_rows_of_audit(tmp_path: Path) -> None:
    async def rotated(services: ServiceContext, clock: SettableClock) -> tuple[str, list[str]]:
        mine, _ = await two_accounts(services)
        made = await keys.create(services, OPERATOR, name="ci", account=mine)
        texts = [made.secret]
        for _ in range(200):
            clock.ms += 1
            texts.append((await keys.rotate(services, of_account(mine), made.key.id, overlap_ms=1_000)).secret)
        assert len(services.directory._identities) == rotation.SECRETS_KEPT
        assert len(await audited(services, made.key.id)) == 201
        return made.key.id, texts

    key_id, texts = run(tmp_path, rotated)

    async def later(services: ServiceContext, clock: SettableClock) -> None:
        """After a restart the rows say the same as memory did."""
        clock.ms += 200
        key = services.directory.keys[key_id]
        assert [one.last4 for one in key.secrets] == [text[-4:] for text in texts[:-6:-1]]
        enter(services, texts[-1])
        enter(services, texts[-2])
        for text in texts[:-2]:
            with pytest.raises(KeyRefused):
                enter(services, text)
        with pytest.raises(KeyRefused, match="replaced"):
            enter(services, texts[-3])
        await keys.rotate(services, OPERATOR, key_id)
        rows = await services.rows.read(lambda tables: tables.keys.get(key_id))
        assert rows is not None
        assert rows.secrets == services.directory.keys[key_id].secrets

    run(tmp_path, later)


def test_rows_of_audit_have_an_end_for_whoever_does_not_pay_for_them(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, other = await two_accounts(services)
        key = await keys.create(services, of_account(mine), name="mine", account=mine)
        while services.changes.admit(mine, clock.now_ms()):
            pass
        with pytest.raises(RateLimited, match="one each 6 seconds") as refused:
            await keys.rotate(services, of_account(mine), key.key.id)
        assert refused.value.retry_after_ms == CHANGES_EVERY_MS
        assert [row.action for row in await audited(services, key.key.id)] == ["key.create"]

        await keys.create(services, of_account(other), name="theirs", account=other)
        await keys.rotate(services, OPERATOR, key.key.id)
        clock.ms += CHANGES_EVERY_MS
        await keys.rotate(services, of_account(mine), key.key.id)

    run(tmp_path, scenario)


def test_what_an_object_can_grow_has_an_end(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await two_accounts(services)
        actor = of_account(mine)
        for number in range(maxima.BUDGETS_MAX):
            await budgets.put(services, actor, amount_usd="1", window="day", account=mine, model=f"m{number}*")
        with pytest.raises(Conflict, match="20 budgets on this account, of at most 20"):
            await budgets.put(services, actor, amount_usd="1", window="day", account=mine, model="more*")
        assert await budgets.put(services, actor, amount_usd="2", window="day", account=mine, model="m1*")
        key = (await keys.create(services, actor, name="ci")).key.id
        for number in range(maxima.LIMITS_MAX):
            await limits.put(services, actor, {"requests_per_minute": 1}, key=key, model=f"m{number}*")
        with pytest.raises(Conflict, match="60 limits on this key, of at most 60"):
            await limits.put(services, actor, {"requests_per_minute": 1}, key=key, model="more*")
        assert await limits.put(services, actor, {"requests_per_minute": 2}, key=key, model="m1*")

    run(tmp_path, scenario)


def test_keys_and_projects_of_an_account_have_an_end_and_dead_ones_do_not_count(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await two_accounts(services)
        one = (await keys.create(services, OPERATOR, name="ci", account=mine)).key
        for number in range(maxima.KEYS_MAX - 1):
            services.directory.put_key(structs.replace(one, id=f"key_{number}", name=str(number), secrets=()))
        with pytest.raises(Conflict, match="5000 keys in this account"):
            await keys.create(services, OPERATOR, name="more", account=mine)
        await keys.revoke(services, OPERATOR, one.id)
        await keys.create(services, OPERATOR, name="more", account=mine)
        place = await projects.create(services, OPERATOR, name="place", account=mine)
        for number in range(maxima.PROJECTS_MAX - 2):
            services.directory.put_project(structs.replace(place, id=f"proj_{number}", name=str(number)))
        with pytest.raises(Conflict, match="1000 active projects in this account"):
            await projects.create(services, OPERATOR, name="more", account=mine)
        await projects.archive(services, OPERATOR, place.id)
        await projects.create(services, OPERATOR, name="more", account=mine)

    run(tmp_path, scenario)


@pytest.mark.parametrize("text", [FULL_KEY, f"the key is {FULL_KEY}.", FULL_KEY[:-3], FULL_KEY + "x"])
def test_a_key_in_a_name_a_reason_or_a_tag_is_refused_with_the_cure(tmp_path: Path, text: str) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await two_accounts(services)
        key = (await keys.create(services, OPERATOR, name="ci", account=mine)).key.id
        tries: list[Awaitable[object]] = [
            keys.create(services, OPERATOR, name=text, account=mine),
            keys.create(services, OPERATOR, name="x", account=mine, tags={"a": text}),
            keys.create(services, OPERATOR, name="x", account=mine, tags={text[:90]: "a"}),
            keys.create(services, OPERATOR, name="x", account=mine, models=(text,)),
            keys.revoke(services, OPERATOR, key, text),
            projects.create(services, OPERATOR, name=text, account=mine),
            accounts.create(services, OPERATOR, name=text),
            accounts.suspend(services, OPERATOR, mine, text),
            limits.put(services, OPERATOR, {"requests_per_minute": 1}, key=key, note=text),
            budgets.put(services, OPERATOR, amount_usd="1", window="day", key=key, model=text),
        ]
        for one in tries:
            with pytest.raises(BadRequest, match="rotate") as refused:
                await one
            assert FULL_KEY[20:40] not in refused.value.message

    run(tmp_path, scenario)


def test_two_keys_at_once_are_both_made(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await two_accounts(services)
        await asyncio.gather(*(keys.create(services, OPERATOR, name="same", account=mine) for _ in range(5)))
        assert services.directory.keys_in_use(mine) == 5

    run(tmp_path, scenario)
