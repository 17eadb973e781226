"""Who pays, and how keys are grouped: every action is durable, audited, bounded, and acts at once."""

from pathlib import Path
from typing import Any

import pytest

from tests.services.harness import NOW_MS, OPERATOR, SettableClock, audited, enter, of_account, run
from tollhouse.core.failure import AccountSuspended, BadRequest, Conflict, KeyFrozen, PathNotFound, ScopeMissing
from tollhouse.services import accounts, budgets, keys, projects
from tollhouse.services.context import ServiceContext


def test_an_account_comes_with_its_default_project_and_survives_a_restart(tmp_path: Path) -> None:
    async def create(services: ServiceContext, clock: SettableClock) -> None:
        made = await accounts.create(
            services, OPERATOR, name="  Zollhaus 税关 ", email="a@example.org", zone="Asia/Tokyo"
        )
        assert (made.name, made.email, made.state, made.zone) == (
            "Zollhaus 税关",
            "a@example.org",
            "active",
            "Asia/Tokyo",
        )
        assert (made.plan, made.credit_limit, made.created_at_ms) == ("default", 0, NOW_MS)
        (row,) = await audited(services)
        assert (row.action, row.object_id, row.actor_kind, row.address) == (
            "account.create",
            made.id,
            "operator",
            "10.0.0.1",
        )
        assert row.after["email"] == "a@example.org"

    async def look(services: ServiceContext, clock: SettableClock) -> None:
        found = await accounts.show(services, OPERATOR, "Zollhaus 税关")
        assert [one.name for one in services.directory.projects_called("default", found.id)] == ["default"]
        assert (await accounts.show(services, OPERATOR, found.id)) == found

    run(tmp_path, create)
    run(tmp_path, look)


@pytest.mark.parametrize(
    ("plan", "given", "stored"),
    [
        ("default", None, 0),
        ("team", None, None),
        ("trial", None, 2_500_000_000),
        ("trial", "unlimited", None),
        ("team", "0.000000001", 1),
        ("team", "0", 0),
    ],
)
def test_the_credit_limit_is_the_plans_unless_one_is_given(
    tmp_path: Path, plan: str, given: str | None, stored: int | None
) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        made = await accounts.create(services, OPERATOR, name="a", plan=plan, credit_limit_usd=given)
        assert made.credit_limit == stored

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("name", "", "name"),
        ("name", "   ", "name"),
        ("name", "a" * 201, "name"),
        ("name", "a\nb", "name"),
        ("name", "a\x00b", "name"),
        ("name", "a\u202eb", "name"),  # turns the rest of the line around
        ("email", "nobody", "email"),
        ("email", "a@b@c", "email"),
        ("email", "a@example.org\r\nBcc: all@example.org", "email"),
        ("plan", "gold", "plan"),
        ("zone", "Mars/Olympus", "zone"),
        ("zone", "../../etc/passwd", "zone"),
        *(
            ("credit_limit_usd", text, "credit_limit_usd")
            for text in (
                "-7", "-0", "NaN", "Infinity", "1e400", "1e-12", "0.0000000001", "1,5", "٣", "9" * 40, "", "Unlimited"
            )
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_naming_the_field(tmp_path: Path, field: str, value: str, param: str) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        with pytest.raises(BadRequest) as refused:
            await accounts.create(services, OPERATOR, **{"name": "a", field: value})
        assert refused.value.param == param
        assert await audited(services) == []

    run(tmp_path, scenario)


def test_an_unknown_plan_names_those_there_are(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        with pytest.raises(BadRequest, match=r"'tean' is unknown; there are default, team, trial"):
            await accounts.create(services, OPERATOR, name="a", plan="tean")

    run(tmp_path, scenario)


def test_suspending_acts_on_the_next_request_and_resuming_too(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account = await accounts.create(services, OPERATOR, name="a")
        made = await keys.create(services, OPERATOR, name="k")
        enter(services, made.secret)
        suspended = await accounts.suspend(services, OPERATOR, "a", "unpaid")
        assert (suspended.state, suspended.state_reason) == ("suspended", "unpaid")
        with pytest.raises(AccountSuspended):
            enter(services, made.secret)
        await accounts.suspend(services, OPERATOR, "a", "unpaid")  # again: nothing to write down
        assert (await accounts.suspend(services, OPERATOR, "a")).state_reason == "unpaid", "what was said stands"
        resumed = await accounts.resume(services, OPERATOR, account.id, "paid")
        assert (resumed.state, resumed.state_reason) == ("active", None)
        await accounts.resume(services, OPERATOR, account.id)
        enter(services, made.secret)
        rows = await audited(services, account.id)
        assert [(row.action, row.before, row.after) for row in rows[1:]] == [
            (
                "account.suspend",
                {"state": "active", "state_reason": None},
                {"state": "suspended", "state_reason": "unpaid"},
            ),
            (
                "account.resume",
                {"state": "suspended", "state_reason": "unpaid"},
                {"state": "active", "state_reason": None, "reason": "paid"},
            ),
        ]

    run(tmp_path, scenario)


def test_what_belongs_to_others_is_answered_like_what_was_never_made(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine = await accounts.create(services, OPERATOR, name="mine")
        other = await accounts.create(services, OPERATOR, name="other")
        foreign = services.directory.projects_called("default", other.id)[0]
        me = of_account(mine.id)

        async def messages(account: str, project: str) -> list[str]:
            told = []
            for transaction in (
                accounts.show(services, me, account),
                projects.create(services, me, name="p", account=account),
                projects.list_page(services, me, account=account),
                projects.archive(services, me, project),
                keys.create(services, me, name="k", account=account),
                keys.create(services, me, name="k", project=project),
            ):
                with pytest.raises(PathNotFound) as refused:
                    await transaction
                told.append(refused.value.message.replace(account, "X").replace(project, "X"))
            return told

        assert await messages(other.id, foreign.id) == await messages("acc_unknown", "proj_unknown")
        assert await messages("other", foreign.id) == await messages("acc_unknown", "proj_unknown")
        assert [one.id for one in (await accounts.list_page(services, me)).records] == [mine.id]
        assert {one.account_id for one in (await projects.list_page(services, me)).records} == {mine.id}

    run(tmp_path, scenario)


def test_an_account_moves_and_its_next_budget_begins_anew_by_its_own_clock(tmp_path: Path) -> None:
    async def move(services: ServiceContext, clock: SettableClock) -> None:
        made = await accounts.create(services, OPERATOR, name="mover", email="old@example.org")
        before = await budgets.put(services, OPERATOR, amount_usd="2", window="day", account=made.id)
        moved = await accounts.change(services, OPERATOR, made.id, zone="Asia/Tokyo", email="new@example.org")
        assert (moved.zone, moved.email, moved.name) == ("Asia/Tokyo", "new@example.org", "mover")
        after = await budgets.put(services, OPERATOR, amount_usd="2", window="month", account=made.id)
        assert (before.zone, after.zone) == ("UTC", "Asia/Tokyo")
        row = (await audited(services))[-2]
        assert (row.action, row.before["zone"], row.after["zone"]) == ("account.set", "UTC", "Asia/Tokyo")
        wrong: tuple[tuple[dict[str, Any], str], ...] = ({"zone": "Mars/X"}, "zone"), ({"email": "nobody"}, "email")
        for given, param in wrong:
            with pytest.raises(BadRequest) as caught:
                await accounts.change(services, OPERATOR, made.id, **given)
            assert caught.value.param == param

    run(tmp_path, move)


def test_only_the_operator_makes_and_stops_accounts(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account = await accounts.create(services, OPERATOR, name="a")
        me = of_account(account.id)
        for transaction in (
            accounts.create(services, me, name="b"),
            accounts.suspend(services, me, account.id),
            accounts.resume(services, me, account.id),
        ):
            with pytest.raises(ScopeMissing):
                await transaction
        assert len(await audited(services)) == 1

    run(tmp_path, scenario)


def test_lists_come_in_pages_newest_first(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        names = [f"account {number}" for number in range(5)]
        for name in names:
            clock.ms += 1
            await accounts.create(services, OPERATOR, name=name)
        seen: list[str] = []
        after: str | None = None
        while True:
            page = await accounts.list_page(services, OPERATOR, after=after, limit=2)
            seen += [one.name for one in page.records]
            after = page.next
            if after is None:
                break
        assert seen == names[::-1]
        assert (await accounts.list_page(services, OPERATOR, limit=5)).next is None
        for cursor in ("x", "", "täst", "bm90IGEgcGxhY2U=", "OjpYOg==", "A" * 1000):
            with pytest.raises(BadRequest) as refused:
                await accounts.list_page(services, OPERATOR, after=cursor)
            assert refused.value.param == "after"
        for count in (0, -1, 501):
            with pytest.raises(BadRequest):
                await accounts.list_page(services, OPERATOR, limit=count)

    run(tmp_path, scenario)


def test_a_name_that_several_have_asks_for_an_id(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        first = await accounts.create(services, OPERATOR, name="twin")
        second = await accounts.create(services, OPERATOR, name="twin")
        with pytest.raises(BadRequest, match="2 are called twin") as refused:
            await accounts.show(services, OPERATOR, "twin")
        assert first.id in refused.value.message
        assert second.id in refused.value.message
        # He who can reach one of them only is not told of the other.
        assert await accounts.show(services, of_account(first.id), "twin") == first

    run(tmp_path, scenario)


def test_a_project_is_created_archived_and_its_name_free_again(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account = await accounts.create(services, OPERATOR, name="a")
        project = await projects.create(services, OPERATOR, name="shop")
        assert project.account_id == account.id
        made = await keys.create(services, OPERATOR, name="k", project="shop")
        enter(services, made.secret)
        with pytest.raises(Conflict, match=project.id):
            await projects.create(services, OPERATOR, name="shop")
        assert (await projects.archive(services, OPERATOR, "shop")).state == "archived"
        with pytest.raises(KeyFrozen):
            enter(services, made.secret)
        with pytest.raises(Conflict):
            await keys.create(services, OPERATOR, name="k", project=project.id)
        again = await projects.create(services, OPERATOR, name="shop")
        assert again.id != project.id
        await projects.archive(services, OPERATOR, project.id)
        actions = [(row.action, row.object_id, row.account_id) for row in await audited(services)]
        assert actions[1:] == [
            ("project.create", project.id, account.id),
            ("key.create", made.key.id, account.id),
            ("project.archive", project.id, account.id),
            ("project.create", again.id, account.id),
        ]

    run(tmp_path, scenario)


def test_the_default_project_stays(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await accounts.create(services, OPERATOR, name="a")
        with pytest.raises(Conflict):
            await projects.archive(services, OPERATOR, "default")

    run(tmp_path, scenario)


def test_without_an_account_named_there_must_be_only_one(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        with pytest.raises(BadRequest):
            await projects.create(services, OPERATOR, name="p")
        account = await accounts.create(services, OPERATOR, name="a")
        await projects.create(services, OPERATOR, name="p")
        await accounts.create(services, OPERATOR, name="b")
        with pytest.raises(BadRequest) as refused:
            await projects.create(services, OPERATOR, name="q")
        assert refused.value.param == "account"
        assert (await projects.create(services, of_account(account.id), name="q")).account_id == account.id

    run(tmp_path, scenario)
