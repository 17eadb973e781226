"""Which limits hold: the plan's, those that people set beside it, and which of two on one place."""

from typing import Any

from tests.limits.callers import caller
from tollhouse.core.catalogue import Plan
from tollhouse.core.limit import Rule
from tollhouse.limits.counter_key import CounterKey, Limit
from tollhouse.limits.rules import Rules

T = 1_790_000_000_000
DAY_MS = 86_400_000
PLAN = Plan(id="default", requests_per_minute=500, tokens_per_minute=200_000, parallel_requests=50)
ACCOUNT = CounterKey("account", "acc_a")


def rule(rule_id: str, most: int, **more: Any) -> Rule:
    where = {"level": "account", "object_id": "acc_a", "kind": "requests_per_minute"} | more
    return Rule(id=rule_id, most=most, **where)


def requests(rules: Rules, now_ms: int = T, model: str = "house-1", plan: Plan | None = PLAN) -> tuple[Limit, ...]:
    return rules.of(caller(), model, plan, now_ms).of("requests_per_minute")


def test_without_rules_the_plan_holds_on_the_account() -> None:
    found = Rules().of(caller(), "house-1", PLAN, T)
    assert found.of("parallel_requests") == (Limit(ACCOUNT, 50),)
    assert found.of("requests_per_minute") == (Limit(ACCOUNT, 500),)
    assert found.of("tokens_per_minute") == (Limit(ACCOUNT, 200_000),)


def test_without_a_plan_or_a_figure_in_it_nothing_holds() -> None:
    assert requests(Rules(), plan=None) == ()
    assert requests(Rules(), plan=Plan(id="p", tokens_per_minute=1)) == ()


def test_a_rule_on_the_account_stands_in_place_of_the_plans_figure() -> None:
    assert requests(Rules([rule("lim_1", 9)])) == (Limit(ACCOUNT, 9),)
    assert Rules([rule("lim_1", 9)]).of(caller(), "house-1", PLAN, T).of("tokens_per_minute") == (
        Limit(ACCOUNT, 200_000),
    )


def test_a_limit_raised_until_a_date_falls_back_to_the_plan_by_itself() -> None:
    rules = Rules([rule("lim_1", 5_000, until_ms=T + DAY_MS, note="launch week")])
    assert requests(rules, T) == (Limit(ACCOUNT, 5_000),)
    assert requests(rules, T + DAY_MS - 1) == (Limit(ACCOUNT, 5_000),)
    assert requests(rules, T + DAY_MS) == (Limit(ACCOUNT, 500),)


def test_while_it_lasts_a_rule_with_an_end_goes_before_one_without_whatever_their_order() -> None:
    lasting, passing = rule("lim_1", 800), rule("lim_2", 100, until_ms=T + DAY_MS)
    for order in ([lasting, passing], [passing, lasting]):
        rules = Rules(order)
        assert requests(rules) == (Limit(ACCOUNT, 100),)
        assert requests(rules, T + DAY_MS) == (Limit(ACCOUNT, 800),)


def test_of_two_ends_the_sooner_goes_first_and_of_equals_the_newer() -> None:
    soon, late = rule("lim_1", 1, until_ms=T + 1), rule("lim_2", 2, until_ms=T + 2)
    for order in ([soon, late], [late, soon]):
        assert requests(Rules(order)) == (Limit(ACCOUNT, 1),)
        assert requests(Rules(order), T + 1) == (Limit(ACCOUNT, 2),)
    older, newer = rule("lim_1", 1, created_at_ms=1), rule("lim_2", 2, created_at_ms=2)
    for order in ([older, newer], [newer, older]):
        assert requests(Rules(order)) == (Limit(ACCOUNT, 2),)


def test_every_level_has_its_own_and_all_hold_at_once() -> None:
    rules = Rules(
        [
            rule("lim_1", 1, level="key", object_id="key_k"),
            rule("lim_2", 2, level="project", object_id="proj_p"),
            rule("lim_3", 3, level="model", object_id="house-1"),
            rule("lim_4", 4, level="key", object_id="key_other"),
            rule("lim_5", 5, level="model", object_id="house-2"),
        ]
    )
    assert requests(rules) == (
        Limit(CounterKey("key", "key_k"), 1),
        Limit(CounterKey("project", "proj_p"), 2),
        Limit(CounterKey("model", "house-1"), 3),
        Limit(ACCOUNT, 500),
    )


def test_a_rule_for_some_models_counts_only_them_and_leaves_the_plan_standing() -> None:
    rules = Rules([rule("lim_1", 7, model="gpt-4o"), rule("lim_2", 8, model="gpt-*")])
    exact, some = Limit(CounterKey("account", "acc_a", "gpt-4o"), 7), Limit(CounterKey("account", "acc_a", "gpt-*"), 8)
    assert requests(rules, model="gpt-4o") == (exact, some, Limit(ACCOUNT, 500))
    assert requests(rules, model="gpt-5") == (some, Limit(ACCOUNT, 500))
    assert requests(rules, model="claude") == (Limit(ACCOUNT, 500),)
    assert [slot.limit.maximum for slot in rules.slots([("account", "acc_a")], None, T)] == [7, 8]


def test_putting_and_removing_takes_effect_on_the_next_call() -> None:
    rules = Rules()
    assert requests(rules) == (Limit(ACCOUNT, 500),)
    rules.put(rule("lim_1", 9))
    assert requests(rules) == (Limit(ACCOUNT, 9),)
    rules.put(rule("lim_1", 10))
    rules.put(rule("lim_2", 3, kind="parallel_requests"))
    assert requests(rules) == (Limit(ACCOUNT, 10),)
    rules.remove("lim_1")
    rules.remove("lim_1")
    assert requests(rules) == (Limit(ACCOUNT, 500),)
    assert rules.of(caller(), "house-1", PLAN, T).of("parallel_requests") == (Limit(ACCOUNT, 3),)


def test_another_plan_takes_effect_on_the_next_call() -> None:
    rules = Rules()
    assert requests(rules) == (Limit(ACCOUNT, 500),)
    assert requests(rules, plan=Plan(id="default", requests_per_minute=1)) == (Limit(ACCOUNT, 1),)


def test_what_is_remembered_has_an_end() -> None:
    rules = Rules([rule("lim_1", 9)])
    for number in range(10_001):
        rules.of(caller(), f"model-{number}", PLAN, T)
    assert requests(rules) == (Limit(ACCOUNT, 9),)
