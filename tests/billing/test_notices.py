"""What a budget has to tell, and on which ways it leaves."""

from typing import Any

import pytest
from msgspec import structs

from tests.billing.test_budgets import budget
from tests.channels import CHANNELS
from tollhouse.billing.notices import NO_CHANNEL, NOBODY, crossed, ways
from tollhouse.core.notice import Notice, notice_id

T = 1_790_000_000_000
USD = 10**9


def reached(spent: int, told: tuple[int, ...] = (), **more: Any) -> list[Notice]:
    watched = budget(**{"soft": (50, 80, 100)} | more)
    return crossed(watched, watched.window(T).start_ms, spent, T, project_id="proj_p", notified=told)


@pytest.mark.parametrize(
    ("spent", "told", "percents"),
    [
        (0, (), []),
        (50 * USD - 1, (), []),
        (50 * USD, (), [50]),
        (80 * USD, (), [50, 80]),
        (80 * USD, (50,), [80]),
        (300 * USD, (), [50, 80, 100]),
        (300 * USD, (50, 80, 100), []),
    ],
)
def test_a_threshold_is_told_when_it_is_reached_and_was_not_told(
    spent: int, told: tuple[int, ...], percents: list[int]
) -> None:
    assert [one.mark for one in reached(spent, told)] == percents


@pytest.mark.parametrize(
    ("level", "object_id", "names"),
    [
        ("account", "acc_a", {"account": "acc_a"}),
        ("project", "proj_x", {"account": "acc_a", "project": "proj_x"}),
        ("key", "key_k", {"account": "acc_a", "project": "proj_p", "key": "key_k"}),
    ],
)
def test_data_names_what_the_budget_stands_on(level: str, object_id: str, names: dict[str, str]) -> None:
    (notice,) = reached(60 * USD, level=level, object_id=object_id)
    assert notice.data == names | {
        "budget_id": "bud_1",
        "level": level,
        "threshold_percent": 50,
        "limit_usd": "100",
        "used_usd": "60",
        "resets_at": "2026-09-22T00:00:00Z",
    }


def test_a_window_without_an_end_resets_never() -> None:
    assert reached(60 * USD, kind="total")[0].data["resets_at"] is None


def test_a_zone_that_this_machine_does_not_know_keeps_no_charge_from_being_written() -> None:
    (notice,) = crossed(budget(soft=(50,), zone="Nowhere/Town"), T, 60 * USD, T, notified=())
    assert notice.data["resets_at"] is None


def test_the_id_is_that_of_what_is_told_whoever_tells_it() -> None:
    (first,), (second,) = reached(60 * USD), reached(61 * USD)
    assert first.id == second.id == notice_id("budget.threshold", "bud_1", first.episode, 50)
    others = {one.id for one in reached(100 * USD)} | {reached(60 * USD, id="bud_2")[0].id}
    assert len(others) == 4


def test_mail_goes_to_all_in_one_and_each_webhook_is_told_once() -> None:
    (notice,) = reached(60 * USD)
    budgets = [
        budget(id="bud_1", mail="ops@x.example", webhook="https://one.example/"),
        budget(id="bud_2", mail="Owner@x.example", webhook="slack://a/b/c"),
        budget(id="bud_3", webhook="https://one.example/"),
    ]
    found = [
        (way.channel, way.address, way.budget_id, way.state)
        for way in ways(notice, ["owner@x.example", "owner@X.example"], budgets, CHANNELS)
    ]
    assert found == [
        ("mail", "Owner@x.example, ops@x.example", None, "pending"),
        ("webhook", "https://one.example/", "bud_1", "pending"),
        ("chat", "slack://a/b/c", "bud_2", "pending"),
    ]
    (alone,) = ways(notice, [], [structs.replace(budgets[2], webhook=None)], CHANNELS)
    assert (alone.channel, alone.state, alone.answer) == ("none", "failed", NOBODY)
    assert len({way.id for way in ways(notice, ["a@b.example"], budgets, CHANNELS)}) == 3


def test_a_notice_says_what_and_whose_and_when() -> None:
    (notice,) = reached(60 * USD)
    assert (notice.type, notice.object_id, notice.account_id, notice.time_ms) == (
        "budget.threshold",
        "bud_1",
        "acc_a",
        T,
    )


def test_each_way_is_one_of_its_notice_and_has_its_number() -> None:
    (notice,) = reached(60 * USD)
    hooks = [budget(id=f"bud_{number}", webhook=f"https://{number}.example/") for number in (1, 2)]
    mailed = list(ways(notice, ["a@b.example"], hooks, CHANNELS))
    assert [way.id for way in mailed] == [f"{notice.id}_{number}" for number in (1, 2, 3)]
    assert [way.id for way in ways(notice, [], hooks, CHANNELS)] == [f"{notice.id}_1", f"{notice.id}_2"]
    (nobody,) = ways(notice, [], [], CHANNELS)
    assert (nobody.id, nobody.address, nobody.ended_at_ms) == (f"{notice.id}_0", "", T)
    assert {way.notice_id for way in (*mailed, nobody)} == {notice.id}


def test_an_address_that_has_not_confirmed_gets_nothing_and_that_is_said() -> None:
    (notice,) = reached(50 * USD)
    watched = [budget(mail="New@example.test", webhook="https://h/x")]
    made = list(ways(notice, ["owner@example.test"], watched, CHANNELS, {"new@example.test"}))
    assert [(one.channel, one.address, one.state) for one in made] == [
        ("mail", "owner@example.test", "pending"),
        ("webhook", "https://h/x", "pending"),
        ("mail", "New@example.test", "failed"),
    ]


def test_an_address_that_no_channel_takes_is_told_nothing_and_says_so() -> None:
    (notice,) = reached(60 * USD)
    (way,) = ways(notice, [], [budget(webhook="pigeon://loft")], CHANNELS)
    assert (way.channel, way.state, way.answer, way.ended_at_ms) == ("none", "failed", NO_CHANNEL, T)
    (nowhere,) = ways(notice, [], [budget(webhook="pigeon")], CHANNELS)
    assert (nowhere.channel, nowhere.state) == ("none", "failed")
