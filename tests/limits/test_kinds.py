"""Kinds of limits are found, counted by what they declare, and their rules hold only while they are there."""

import sys
from pathlib import Path

import pytest

from tests.limits.at_once import at_once
from tests.limits.callers import caller
from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.failure import RateLimited
from tollhouse.core.limit import Rule
from tollhouse.core.limit_headers import limit_headers
from tollhouse.core.usage import Usage
from tollhouse.limits.counter_key import CounterKey, Limit
from tollhouse.limits.discovery import HERE, limit_kinds
from tollhouse.limits.kind import LimitKindSpec
from tollhouse.limits.parallel import Parallel
from tollhouse.limits.rate_limiter import InMemoryRateLimiter
from tollhouse.limits.rules import Rules
from tollhouse.limits.unit_rate import UnitRate

T = 1_790_000_000_000
MODEL = Model(id="house-1")
IMAGES = LimitKindSpec(
    name="images_per_minute",
    order=5,
    counter=lambda: UnitRate("images"),
    reserves=lambda tokens, units: units.images,
    uses=lambda reserved, used: used.images,
)
RULE = Rule(id="lim_1", level="account", object_id="acc_a", kind="images_per_minute", most=10)


def test_the_kinds_of_the_platform_are_found_in_their_order() -> None:
    assert [kind.name for kind in limit_kinds()] == ["parallel_requests", "requests_per_minute", "tokens_per_minute"]
    assert limit_kinds() is limit_kinds()


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two limit kinds"):
        limit_kinds(HERE, HERE)


def test_a_module_without_a_kind_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "no_kinds").mkdir()
    (tmp_path / "no_kinds" / "plain.py").write_text("KIND = 'a word'\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert limit_kinds("no_kinds") == ()
    assert "no_kinds.plain" in sys.modules


def test_units_are_reserved_corrected_and_refused_by_what_the_kind_declares() -> None:
    built = InMemoryRateLimiter(Catalogue, "", Rules([RULE], (*limit_kinds(), IMAGES)))
    admitted = at_once(built.admit(caller(), MODEL, 0, T, limit_headers, Usage(images=8)))
    assert [(one.kind, one.before, one.after) for one in admitted.passed] == [("images_per_minute", 0, 8)]
    assert admitted.headers(T) == [], "a kind without a word has no headers"
    assert at_once(built.refusal_of(caller(), MODEL, 0, T, Usage(images=2))) is None
    with pytest.raises(RateLimited, match="10 images per minute of the account acc_a is reached: 8 used"):
        at_once(built.admit(caller(), MODEL, 0, T, limit_headers, Usage(images=3)))
    with pytest.raises(RateLimited, match="send less"):
        at_once(built.admit(caller(), MODEL, 0, T, limit_headers, Usage(images=11)))
    at_once(admitted.release(Usage(images=3), T))
    assert [one["used"] for one in at_once(built.status(caller(), T))] == [3]
    at_once(
        at_once(built.admit(caller(), MODEL, 0, T, limit_headers, Usage(images=3))).release(Usage(), T, refused=True)
    )
    assert [one["used"] for one in at_once(built.status(caller(), T))] == [3]


def test_a_rule_of_a_kind_that_is_not_there_is_kept_and_does_not_hold() -> None:
    rules = Rules([RULE])
    assert rules.slots((("account", "acc_a"),), None, T) == []
    assert rules.of(caller(), "house-1", None, T).by_kind == ()
    rules.remove(RULE.id)


def test_places_have_no_headers() -> None:
    assert Parallel().status([Limit(CounterKey("account", "acc_a"), 1)], T) == []
