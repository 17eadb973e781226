"""The order of offers and provider keys: priority, weights, affinity, health."""

from collections import Counter
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.catalogue import Model, Offer
from tollhouse.core.failure import (
    Failure,
    Overloaded,
    UpstreamError,
    UpstreamRefusedKey,
    UpstreamSaturated,
)
from tollhouse.core.operation import Operation
from tollhouse.routing.choice import KEYS_PER_OFFER, Choice, rank
from tollhouse.routing.health import Health

T = 1_790_000_000_000
ACC = "acc_1"


@dataclass(frozen=True)
class ProviderState:
    keys: tuple[str, ...] = ("k",)
    operations: tuple[Operation, ...] = ("chat", "embeddings")


def providers(**counts: int) -> dict[str, ProviderState]:
    return {name: ProviderState(("k",) * count) for name, count in counts.items()}


def model(*offers: Offer) -> Model:
    return Model(id="gpt-x", offers=offers)


def offer(provider: str, weight: int = 1, priority: int = 0) -> Offer:
    return Offer(provider=provider, model="m", weight=weight, priority=priority)


def first(of: Model, affinity: int, health: Health | None = None) -> str:
    at = {each.provider: ProviderState() for each in of.offers}
    return rank(of, at, health or Health(), ACC, T, affinity)[0].offer.provider


def open_offer(health: Health, which: Offer, now_ms: int = T) -> None:
    for _ in range(5):
        health.failed(ACC, which, 0, UpstreamError("no"), "offer", None, now_ms)


def affinities(count: int) -> list[int]:
    draw = Random(3)
    return [draw.getrandbits(32) for _ in range(count)]


def test_one_offer_with_one_key_is_the_only_choice() -> None:
    only = offer("a")
    assert list(rank(model(only), providers(a=1), Health(), ACC, T, 7)) == [Choice(only, 0)]
    assert list(rank(model(only), providers(a=0), Health(), ACC, T, 7)) == [Choice(only, 0)]


@pytest.mark.parametrize("weights", [(1, 1), (1, 3), (5, 3, 2), (90, 10), (1, 1, 1, 1, 1)])
def test_weights_share_the_traffic(weights: tuple[int, ...]) -> None:
    of = model(*(offer(f"p{at}", weight) for at, weight in enumerate(weights)))
    leads = Counter(first(of, affinity) for affinity in affinities(10_000))
    for at, weight in enumerate(weights):
        assert leads[f"p{at}"] / 10_000 == pytest.approx(weight / sum(weights), abs=0.02)


def test_neighbouring_affinities_spread_as_well() -> None:
    of = model(offer("a"), offer("b"), offer("c"))
    leads = Counter(first(of, affinity) for affinity in range(10_000))
    assert all(count / 10_000 == pytest.approx(1 / 3, abs=0.02) for count in leads.values())


def test_an_offer_of_weight_zero_comes_after_all_others_of_its_priority() -> None:
    of = model(offer("spare", 0), offer("a"), offer("late", 5, priority=1))
    for affinity in range(200):
        order = [
            choice.offer.provider for choice in rank(of, providers(spare=1, a=1, late=1), Health(), ACC, T, affinity)
        ]
        assert order == ["a", "spare", "late"]


def test_lower_priority_goes_first_whatever_the_weights() -> None:
    of = model(offer("dear", 1000, priority=1), offer("cheap", 1, priority=0))
    assert {first(of, affinity) for affinity in range(200)} == {"cheap"}


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 50), min_size=2, max_size=6))
def test_the_same_affinity_finds_the_same_order(affinity: int, weights: list[int]) -> None:
    of = model(*(offer(f"p{at}", weight) for at, weight in enumerate(weights)))
    backwards = model(*reversed(of.offers))
    at = {each.provider: ProviderState() for each in of.offers}
    assert list(rank(of, at, Health(), ACC, T, affinity)) == list(rank(backwards, at, Health(), ACC, T, affinity))


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 50), min_size=2, max_size=6), st.data())
def test_an_offer_that_goes_moves_only_its_own_share(affinity: int, weights: list[int], data: st.DataObject) -> None:
    of = model(*(offer(f"p{at}", weight) for at, weight in enumerate(weights)))
    gone = data.draw(st.sampled_from(of.offers))
    left = model(*(each for each in of.offers if each != gone))
    at = {each.provider: ProviderState() for each in of.offers}
    before = [choice.offer for choice in rank(of, at, Health(), ACC, T, affinity)]
    after = [choice.offer for choice in rank(left, at, Health(), ACC, T, affinity)]
    assert after == [each for each in before if each != gone]


def test_an_open_offer_is_left_out_and_its_share_comes_back() -> None:
    a, b = offer("a"), offer("b")
    health = Health()
    before = {affinity: first(model(a, b), affinity, health) for affinity in range(100)}
    open_offer(health, a)
    assert {first(model(a, b), affinity, health) for affinity in range(100)} == {"b"}
    health.succeeded(ACC, b, 0, T, T)
    later = T + 5_000
    at = providers(a=1, b=1)
    assert before == {
        affinity: rank(model(a, b), at, health, ACC, later, affinity)[0].offer.provider for affinity in range(100)
    }


def test_provider_keys_rotate_by_affinity_and_stay_with_it() -> None:
    only = model(offer("a"))
    at = providers(a=4)
    slots = Counter(rank(only, at, Health(), ACC, T, affinity)[0].slot for affinity in affinities(10_000))
    assert sorted(slots) == [0, 1, 2, 3]
    assert all(count / 10_000 == pytest.approx(0.25, abs=0.02) for count in slots.values())
    assert rank(only, at, Health(), ACC, T, 99) == rank(only, at, Health(), ACC, T, 99)


def test_a_refused_key_is_left_out_and_the_others_keep_their_calls() -> None:
    a = offer("a")
    at, health = providers(a=3), Health()
    before = {affinity: rank(model(a), at, health, ACC, T, affinity)[0].slot for affinity in range(300)}
    health.failed(ACC, a, 1, UpstreamRefusedKey("no"), "key", None, T)
    after = {affinity: rank(model(a), at, health, ACC, T, affinity)[0].slot for affinity in range(300)}
    assert 1 not in after.values()
    assert all(after[affinity] == slot for affinity, slot in before.items() if slot != 1)


def test_each_offer_brings_at_most_two_keys_so_that_the_next_offer_is_reached() -> None:
    a, b = offer("a"), offer("b", priority=1)
    choices = rank(model(a, b), providers(a=10, b=1), Health(), ACC, T, 5)
    assert [choice.offer for choice in choices] == [a] * KEYS_PER_OFFER + [b]
    assert len({(choice.offer, choice.slot) for choice in choices}) == len(choices)


def test_an_offer_whose_provider_is_not_there_is_left_out() -> None:
    assert first(model(offer("gone"), offer("a")), 1) in ("gone", "a")
    assert [
        choice.offer.provider for choice in rank(model(offer("gone"), offer("a")), providers(a=1), Health(), ACC, T, 1)
    ] == ["a"]
    with pytest.raises(Overloaded) as caught:
        rank(model(offer("gone")), {}, Health(), ACC, T, 1)
    assert caught.value.retry_after_ms is None
    assert "gone" not in caught.value.message


@pytest.mark.parametrize(
    ("last", "kind", "wait_ms"),
    [
        (UpstreamSaturated("no"), UpstreamSaturated, 3_000),
        (UpstreamRefusedKey("no"), UpstreamRefusedKey, None),
        (UpstreamError("no"), Overloaded, 5_000),
    ],
)
def test_when_everything_is_open_the_failure_says_why_and_until_when(
    last: Failure, kind: type[Failure], wait_ms: int | None
) -> None:
    a, health = offer("provider-name"), Health()
    if isinstance(last, UpstreamSaturated):
        health.failed(ACC, a, 0, last, "key", 3_000, T)
    elif isinstance(last, UpstreamRefusedKey):
        health.failed(ACC, a, 0, last, "key", None, T)
    else:
        open_offer(health, a)
    with pytest.raises(kind) as caught:
        rank(model(a), {"provider-name": ProviderState()}, health, ACC, T, 1)
    assert type(caught.value) is kind
    assert caught.value.retry_after_ms == wait_ms
    assert "provider-name" not in caught.value.message
    assert "gpt-x" in caught.value.message


def test_the_soonest_of_several_decides() -> None:
    a, b, health = offer("a"), offer("b"), Health()
    open_offer(health, a)
    health.failed(ACC, b, 0, UpstreamSaturated("no"), "key", 1_200, T)
    with pytest.raises(UpstreamSaturated) as caught:
        rank(model(a, b), providers(a=1, b=1), health, ACC, T, 1)
    assert caught.value.retry_after_ms == 1_200
    assert "2 s" in caught.value.message


def test_a_half_open_offer_is_offered_until_its_probe_begins() -> None:
    a, b, health = offer("a"), offer("b", priority=1), Health()
    at = providers(a=1, b=1)
    open_offer(health, a)
    later = T + 5_000
    assert rank(model(a, b), at, health, ACC, later, 1)[0].offer == a
    health.begin(ACC, a, 0, later)
    assert [choice.offer for choice in rank(model(a, b), at, health, ACC, later + 1, 1)] == [b]


def test_a_call_goes_through_one_circuit_that_is_open_to_all() -> None:
    a, b, c = offer("a"), offer("b", priority=1), offer("c", priority=2)
    at, health = providers(a=3, b=1, c=1), Health()
    open_offer(health, a)
    open_offer(health, b)
    assert [choice.offer for choice in rank(model(a, b, c), at, health, "acc_new", T, 1)] == [a, c]
    assert [choice.offer for choice in rank(model(b, a), at, health, "acc_new", T, 1)] == [a]
