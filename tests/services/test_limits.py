"""Limits that people set: on what, by whom, for how long, and how they stand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tests.services.harness import NOW_MS, OPERATOR, SettableClock, audited, of_account, run
from tests.services.test_money import owner_of
from tollhouse.core.catalogue import Model, Plan
from tollhouse.core.failure import BadRequest, PathNotFound, ScopeMissing
from tollhouse.core.limit import LimitKind
from tollhouse.core.limit_headers import limit_headers
from tollhouse.core.usage import Usage
from tollhouse.services import budgets, keys, limits, projects
from tollhouse.services.context import ServiceContext
from tollhouse.services.limits import LimitUsage

RPM: Mapping[LimitKind, int] = {"requests_per_minute": 10}


def sells(services: ServiceContext, **plan: int) -> None:
    """A catalogue with two models and a plan with limits."""
    fields: dict[str, Any] = {"requests_per_minute": 500, "parallel_requests": 50, **plan}
    models = {"house-1": Model(id="house-1", aliases=("house",)), "house-2": Model(id="house-2")}
    plans = services.catalogue.plans | {"default": Plan(id="default", **fields)}
    services.catalogue = structs.replace(services.catalogue, models=models, plans=plans)


def told(seen: Sequence[LimitUsage]) -> list[tuple[object, ...]]:
    """Level, kind, figure, used, and where it comes from; of what does not hold, only the rule's own."""
    shown: list[tuple[object, ...]] = []
    for rule, now in seen:
        if now is not None:
            shown.append((now.level, now.name, now.limit, now.used, now.source))
        elif rule is not None:
            shown.append((rule.level, rule.kind, rule.most, "does not hold"))
    return shown


def test_an_object_shows_every_limit_over_it_and_whether_the_plan_or_somebody_set_it(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        sells(services)
        _, owner = await owner_of(services)
        key = (await keys.create(services, owner, name="ci")).key
        await limits.put(services, owner, {"tokens_per_minute": 1_000}, key="ci", note="a build")
        await limits.put(services, owner, {"parallel_requests": 3}, project="default", model="house-*")
        identity = services.directory.find(key.secrets[0].digest)
        assert identity is not None
        limiter, model = services.rate_limiter, services.catalogue.models["house-1"]
        admitted = await limiter.admit(identity, model, 200, NOW_MS, limit_headers)
        await admitted.release(Usage(input=150), NOW_MS)
        over_key = [
            ("key", "tokens_per_minute", 1_000, 150, "rule"),
            ("project", "parallel_requests", 3, 0, "rule"),
            ("account", "parallel_requests", 50, 0, "plan"),
            ("account", "requests_per_minute", 500, 1, "plan"),
        ]
        assert told(await limits.show(services, owner, key="ci")) == over_key
        assert told(await limits.show(services, owner, key="ci", model="house-1")) == over_key
        assert told(await limits.show(services, owner, key="ci", model="other")) == [over_key[0], *over_key[2:]]
        assert told(await limits.show(services, owner, project="default")) == over_key[1:]
        assert told(await limits.show(services, owner)) == [*over_key[2:], *over_key[:2]]
        assert told(await limits.show(services, OPERATOR, account="mine")) == over_key[2:]
        (noted, *_) = await limits.show(services, owner, key="ci")
        assert noted.shown is not None
        assert (noted.shown.note, noted.shown.remaining) == ("a build", 850)

    run(tmp_path, scenario)


def test_a_raised_limit_ends_by_itself_and_meanwhile_what_it_covers_is_still_shown(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        sells(services)
        await owner_of(services)
        (lasting,) = await limits.put(services, OPERATOR, RPM, account="mine")
        (raised,) = await limits.put(
            services, OPERATOR, {"requests_per_minute": 900}, account="mine", until_ms=NOW_MS + 1_000, note="launch"
        )
        assert told([lasting, raised]) == [
            ("account", "requests_per_minute", 10, 0, "rule"),
            ("account", "requests_per_minute", 900, 0, "rule"),
        ]
        plans = ("account", "parallel_requests", 50, 0, "plan")
        covered = ("account", "requests_per_minute", 10, "does not hold")
        shown = await limits.show(services, OPERATOR, account="mine")
        assert told(shown) == [("account", "requests_per_minute", 900, 0, "rule"), plans, covered]
        assert shown[0].shown is not None
        assert shown[0].shown.until is not None
        (again,) = await limits.put(services, OPERATOR, {"requests_per_minute": 11}, account="mine")
        assert told([again]) == [("account", "requests_per_minute", 11, "does not hold")]
        clock.ms += 1_000
        over = ("account", "requests_per_minute", 900, "does not hold")
        shown = await limits.show(services, OPERATOR, account="mine")
        assert told(shown) == [("account", "requests_per_minute", 11, 0, "rule"), plans, over]
        for one in shown:
            if one.rule is not None:
                await limits.remove(services, OPERATOR, one.rule.id)
        after = await limits.show(services, OPERATOR, account="mine")
        assert told(after) == [plans, ("account", "requests_per_minute", 500, 0, "plan")]

    run(tmp_path, scenario)


def test_a_model_is_limited_whoever_calls_it_by_the_operator_only(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        sells(services)
        _, owner = await owner_of(services)
        (seen,) = await limits.put(services, OPERATOR, RPM, model="house")  # by its other name
        assert told([seen]) == [("model", "requests_per_minute", 10, 0, "rule")]
        assert told(await limits.show(services, OPERATOR, model="house-1")) == told([seen])
        assert await limits.show(services, OPERATOR, model="house-2") == ()
        assert told(await limits.show(services, owner, model="house-1"))[0] == told([seen])[0]
        assert seen.rule is not None
        with pytest.raises(ScopeMissing):
            await limits.put(services, owner, RPM, model="house-1")
        with pytest.raises(PathNotFound):
            await limits.remove(services, owner, seen.rule.id)
        for unknown, words in (("hause-1", "nearest known ones are 'house-1'"), ("house-*", "name one of them")):
            with pytest.raises(BadRequest, match=words) as caught:
                await limits.put(services, OPERATOR, RPM, model=unknown)
            assert caught.value.param == "model"
        with pytest.raises(BadRequest, match="nearest known ones are 'house-1'"):
            await limits.show(services, OPERATOR, model="hause-1")
        await limits.remove(services, OPERATOR, seen.rule.id)
        assert await limits.show(services, OPERATOR, model="house-1") == ()
        removed = (await audited(services, seen.rule.id))[-1]
        assert (removed.action, removed.account_id, removed.before["most"]) == ("limit.remove", None, 10)

    run(tmp_path, scenario)


def test_a_limit_on_a_misspelt_model_would_protect_nothing_and_is_refused(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        sells(services)
        hidden = Model(id="hause-secret", groups=("inner",))
        services.catalogue = structs.replace(
            services.catalogue, models={**services.catalogue.models, hidden.id: hidden}
        )
        mine, owner = await owner_of(services)
        for put in (
            lambda actor, model: limits.put(services, actor, RPM, project="default", model=model),
            lambda actor, model: budgets.put(
                services, actor, amount_usd="1", window="day", account=mine.id, model=model
            ),
        ):
            with pytest.raises(BadRequest, match=r"'hause-1' is unknown; .* 'house-1'.*'hause-secret'") as caught:
                await put(OPERATOR, "hause-1")
            assert caught.value.param == "model"
            for known_to_others in ("hause-1", "hause-secret"):
                with pytest.raises(BadRequest, match="is unknown; the nearest known ones are 'house-") as caught:
                    await put(owner, known_to_others)
                assert "'hause-secret'," not in caught.value.message, "what it may not call is not told"
            for known in ("house-1", "house", "house-*", "comes-later-*"):
                await put(owner, known)
            await put(OPERATOR, "hause-secret")

    run(tmp_path, scenario)


def test_owners_limit_their_projects_and_keys_and_neither_their_account_nor_others(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        sells(services)
        mine, owner = await owner_of(services)
        _, other = await owner_of(services, "other")
        await keys.create(services, owner, name="ci")
        web = await projects.create(services, owner, name="web")
        made = [
            *await limits.put(services, owner, RPM, key="ci"),
            *await limits.put(services, owner, RPM, project=web.id),
        ]
        (by_operator,) = await limits.put(services, OPERATOR, RPM, account=mine.id)
        with pytest.raises(ScopeMissing):
            await limits.put(services, owner, RPM, account=mine.id)
        assert by_operator.rule is not None
        with pytest.raises(ScopeMissing):
            await limits.remove(services, owner, by_operator.rule.id)
        for one in made:
            assert one.rule is not None
            with pytest.raises(PathNotFound):
                await limits.remove(services, other, one.rule.id)
            assert (await limits.remove(services, owner, one.rule.id)).id == one.rule.id
        with pytest.raises(PathNotFound):
            await limits.show(services, other, key="ci")
        with pytest.raises(PathNotFound):
            await limits.show(services, of_account("acc_none"))

    run(tmp_path, scenario)


def test_with_nothing_named_every_limit_within_reach_is_shown(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        sells(services)
        _, owner = await owner_of(services)
        of_plan = [("account", "parallel_requests", 50, 0, "plan"), ("account", "requests_per_minute", 500, 0, "plan")]
        assert told(await limits.show(services, OPERATOR)) == of_plan, "of the only account"
        _, other = await owner_of(services, "other")
        assert await limits.show(services, OPERATOR) == ()
        await limits.put(services, OPERATOR, {"requests_per_minute": 9}, account="mine", until_ms=NOW_MS + 5)
        await limits.put(services, OPERATOR, {"parallel_requests": 8}, model="house-1")
        await keys.create(services, owner, name="ci")
        await limits.put(services, owner, {"tokens_per_minute": 7}, key="ci")
        on_key, on_model = ("key", "tokens_per_minute", 7, 0, "rule"), ("model", "parallel_requests", 8, 0, "rule")
        of_mine = ("account", "requests_per_minute", 9, 0, "rule")
        assert told(await limits.show(services, OPERATOR)) == [of_mine, on_key, on_model]
        assert told(await limits.show(services, owner)) == [of_mine, of_plan[0], on_key]
        assert told(await limits.show(services, other)) == of_plan
        clock.ms += 5
        over = ("account", "requests_per_minute", 9, "does not hold")
        assert told(await limits.show(services, OPERATOR)) == [on_key, on_model, over]

    run(tmp_path, scenario)


def test_what_was_set_holds_after_a_restart(tmp_path: Path) -> None:
    async def before(services: ServiceContext, clock: SettableClock) -> list[tuple[object, ...]]:
        _, owner = await owner_of(services)
        await keys.create(services, owner, name="ci")
        await limits.put(services, OPERATOR, {"requests_per_minute": 10, "parallel_requests": 2}, account="mine")
        await limits.put(services, OPERATOR, {"requests_per_minute": 99}, account="mine", until_ms=NOW_MS + 5)
        await limits.put(services, OPERATOR, {"requests_per_minute": 100}, account="mine", until_ms=NOW_MS + 9)
        await limits.put(services, owner, RPM, key="ci", model="gpt-*")
        return told(await limits.show(services, owner, key="ci"))

    async def after(services: ServiceContext, clock: SettableClock) -> list[tuple[object, ...]]:
        return told(await limits.show(services, OPERATOR, key="ci"))

    standing = run(tmp_path, before)
    assert {figure for _, _, figure, *_ in standing} == {10, 2, 100}, "an end replaces an end"
    assert run(tmp_path, after) == standing


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"most": {}}, "limits"),
        ({"most": {"requests_per_hour": 1}}, "limits"),
        ({"most": {"tokens_per_minute": -1}}, "tokens_per_minute"),
        ({"most": {"tokens_per_minute": 10**13}}, "tokens_per_minute"),
        ({"most": {"tokens_per_minute": True}}, "tokens_per_minute"),
        ({"until_ms": NOW_MS}, "until"),
        ({"note": "x" * 201}, "note"),
        ({"model": "a*b"}, "model"),
        ({"model": "house-1"}, "model"),  # no model is sold here
        ({"account": None}, "account"),
        ({"project": "default"}, "account"),
    ],
)
def test_what_is_no_limit_names_the_field(tmp_path: Path, given: dict[str, Any], param: str) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await owner_of(services)
        most = given.get("most", RPM)
        where = {"account": "mine", **{name: value for name, value in given.items() if name != "most"}}
        with pytest.raises(BadRequest) as caught:
            await limits.put(services, OPERATOR, most, **where)
        assert caught.value.param == param
        assert await limits.show(services, OPERATOR, account="mine") == ()

    run(tmp_path, scenario)
