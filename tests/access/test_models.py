"""Which models a key may call: exact ids, prefixes, groups; the same rule for routing and for lists."""

from collections.abc import Iterator

import pytest

from tollhouse.access.models import groups_of, may_call, open_groups, permission
from tollhouse.core.account import Account, ApiKey, Identity, Project, Secret
from tollhouse.core.catalogue import Catalogue, Model, Plan

MODEL = Model(id="gpt-4o", aliases=("gpt-4o-latest", "best"))


@pytest.mark.parametrize(
    ("patterns", "verdict"),
    [
        ((), True),
        (("gpt-4o",), True),
        (("gpt-4o-mini",), False),
        (("gpt-4",), False),
        (("gpt-4*",), True),
        (("*",), True),
        (("claude*", "gpt*"), True),
        (("claude*",), False),
        (("GPT-4o",), False),
        (("*4o",), False),
        (("gpt-?o",), False),
        (("gpt-4o*x",), False),
        (("best",), True),
        (("be*",), False),
        (("",), False),
    ],
)
def test_allowed_models_of_a_key(patterns: tuple[str, ...], verdict: bool) -> None:
    assert may_call(patterns, ("default",), MODEL) is verdict


def test_hundreds_of_patterns_are_not_gone_through_for_each_of_thousands_of_models() -> None:
    """It took 85 ms of the event loop, for whoever asked for their list."""

    class Walked(tuple[str, ...]):
        walks = 0

        def __iter__(self) -> Iterator[str]:
            Walked.walks += 1
            return super().__iter__()

    patterns = Walked((*(f"zz-{number:04d}x*" for number in range(198)), "zz-0500*", "exact"))
    models = [Model(id=f"zz-{number:04d}-model") for number in range(1_000)]
    allowed = [model.id for model in models if may_call(patterns, ("default",), model)]
    assert allowed == ["zz-0500-model"]
    assert Walked.walks <= 2


def test_a_model_is_callable_when_one_group_is_shared() -> None:
    model = Model(id="m", groups=("beta", "staff"))
    assert may_call((), ("default", "beta"), model)
    assert not may_call((), ("default",), model)
    assert not may_call((), (), model)
    assert not may_call((), ("default",), Model(id="m", groups=()))
    assert not may_call(("m",), ("default",), model)


def test_groups_come_from_the_accounts_plan_and_a_lost_plan_opens_the_default_only() -> None:
    catalogue = Catalogue(plans={"team": Plan(id="team", groups=("default", "beta"))})
    assert groups_of(catalogue, Account(id="a", name="a", plan="team", created_at_ms=0)) == ("default", "beta")
    assert groups_of(catalogue, Account(id="a", name="a", plan="gone", created_at_ms=0)) == ("default",)


def test_an_account_may_have_groups_of_its_own_besides() -> None:
    catalogue = Catalogue(plans={"team": Plan(id="team", groups=("default", "beta"))})
    account = Account(id="a", name="a", plan="team", groups=("vip",), created_at_ms=0)
    assert groups_of(catalogue, account) == ("default", "beta", "vip")
    assert groups_of(Catalogue(), account) == ("default", "vip")


def test_a_callers_permission_joins_key_and_plan() -> None:
    catalogue = Catalogue(plans={"team": Plan(id="team", groups=("beta",))})
    secret = Secret(digest=b"", prefix="", last4="", created_at_ms=0)
    key = ApiKey(id="k", account_id="a", project_id="p", name="k", models=("x*",), created_at_ms=0)
    account = Account(id="a", name="a", plan="team", created_at_ms=0)
    project = Project(id="p", account_id="a", name="default", created_at_ms=0)
    may = permission(catalogue, Identity(key=key, secret=secret, account=account, project=project))
    assert may(Model(id="x1", groups=("beta",)))
    assert not may(Model(id="y1", groups=("beta",)))
    assert not may(Model(id="x1"))


def test_groups_that_are_open_to_everybody_are_those_of_the_default_plan() -> None:
    assert open_groups(Catalogue()) == ("default",)
    assert open_groups(Catalogue(plans={"default": Plan(id="default", groups=("open",))})) == ("open",)
