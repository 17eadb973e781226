"""The ledger: transfers that obey their kind and sum to zero; a chain in which no change goes unseen."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tollhouse.billing.ledger import (
    FIRST,
    TRANSFER_RULES,
    BadTransfer,
    ChainEnd,
    Entry,
    Kind,
    Leg,
    Transfer,
    append,
    balances,
    canonical,
    flaw_of,
    legs,
    refundable,
    split,
    tail_of,
    unbalanced,
    verify,
)

KINDS: tuple[Kind, ...] = ("grant", "top_up", "charge", "overrun", "refund", "adjustment", "re_rate", "expiry")


def transfer(kind: Kind, amount: int, number: int = 1, **more: Any) -> Transfer:
    """A transfer of a kind that names what its kind must name."""
    named = {name: f"{name}_{number}" for name in TRANSFER_RULES[kind].names}
    return Transfer(id=f"txn_{number}", account_id="acc_a", kind=kind, amount=amount, time_ms=number, **named | more)


def chain(transfers: Iterable[Transfer]) -> list[Entry]:
    tail, made = ChainEnd("acc_a"), list[Entry]()
    for each in transfers:
        made.append(append(tail, each))
        tail = tail_of(made[-1])
    return made


def told(entries: Iterable[Entry], stored: ChainEnd | None = None) -> list[tuple[int, str]]:
    return [(flaw.sequence, flaw.reason) for flaw in verify(entries, "acc_a", stored)]


@st.composite
def transfers(draw: st.DrawFn) -> list[Transfer]:
    made = []
    for number in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(KINDS))
        sign = draw(st.sampled_from([sign for sign in TRANSFER_RULES[kind].signs if sign]))
        reason = draw(st.one_of(st.none(), st.text(max_size=5))) or "because"
        made.append(transfer(kind, sign * draw(st.integers(1, 10**12)), number, reason=reason))
    return made


STORY = (
    transfer("grant", 100, 1, expires_at_ms=99),
    transfer("charge", -30, 2),
    transfer("overrun", -5, 3),
    transfer("refund", 10, 4),
    transfer("expiry", -75, 5),
)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_its_sign_its_other_leg_and_what_it_must_name(kind: Kind) -> None:
    nature = TRANSFER_RULES[kind]
    for sign in (-1, 0, 1):
        flaw = flaw_of(transfer(kind, sign * 7))
        assert (flaw is None) == (sign in nature.signs)
        assert flaw is None or f"{kind} cannot be {sign * 7} nano-USD" in flaw
    good = transfer(kind, nature.signs[0] * 7)
    for name in nature.names:
        for nothing in (None, ""):
            assert name in str(flaw_of(structs.replace(good, **{name: nothing})))
    mine, theirs = legs(good)
    assert (mine.account, theirs.account) == ("acc_a", nature.counter)
    assert mine.amount + theirs.amount == 0


def test_the_table_of_kinds_is_the_documented_one() -> None:
    assert {kind: (nature.counter, nature.signs, nature.names) for kind, nature in TRANSFER_RULES.items()} == {
        "grant": ("platform:grants", (1,), ()),
        "top_up": ("platform:payments", (1,), ()),
        "charge": ("platform:revenue", (-1, 0), ("request_id",)),
        "overrun": ("platform:revenue", (-1,), ("request_id",)),
        "refund": ("platform:revenue", (1,), ("request_id",)),
        "adjustment": ("platform:adjustments", (1, -1), ("reason",)),
        "re_rate": ("platform:revenue", (1, -1), ("request_id", "price_id")),
        "expiry": ("platform:grants", (-1,), ("refers_to",)),
    }


def test_only_grants_expire_and_no_kind_is_made_up() -> None:
    assert flaw_of(transfer("grant", 1, expires_at_ms=9)) is None
    assert flaw_of(transfer("top_up", 1, expires_at_ms=9)) == "a top_up does not expire"
    gift: Any = "gift"
    assert flaw_of(structs.replace(transfer("grant", 1), kind=gift)) == "unknown kind 'gift'"


def test_what_breaks_a_rule_is_not_appended() -> None:
    with pytest.raises(BadTransfer, match=r"txn_1: a refund cannot be -5"):
        append(ChainEnd("acc_a"), transfer("refund", -5))
    with pytest.raises(BadTransfer, match="belongs to the chain of acc_a"):
        append(ChainEnd("acc_b"), transfer("grant", 5))


def test_the_chain_is_made_as_it_is_documented() -> None:
    first, second, *_ = chain(STORY)
    assert (first.sequence, first.balance, first.previous) == (1, 100, b"\0" * 32)
    assert (second.sequence, second.balance, second.previous) == (2, 70, first.hash)
    text = b"18:tollhouse ledger 1,5:acc_a,1:2,2:70,5:txn_2,6:charge,3:-30,1:2,12:request_id_2,-,-,-,-,-,-,"
    assert canonical(second.transfer, 2, 70) == text
    assert second.hash == sha256(first.hash + text).digest()


def test_text_of_any_script_is_counted_in_bytes() -> None:
    assert b"6:\xe7\xa8\x8e\xe5\x85\xb3," in canonical(transfer("adjustment", 1, reason="税关"), 1, 1)


@given(transfers())
def test_every_ledger_sums_to_zero_and_its_chain_holds(made: list[Transfer]) -> None:
    entries = chain(made)
    rows = [leg for each in made for leg in legs(each)]
    assert sum(balances(rows).values()) == 0
    assert unbalanced(rows) == {}
    assert balances(rows).get("acc_a", 0) == (entries[-1].balance if entries else 0)
    assert told(entries, tail_of(entries[-1]) if entries else ChainEnd("acc_a")) == []


CHANGED: dict[str, Any] = {
    "id": "txn_x",
    "kind": "overrun",
    "amount": -31,
    "time_ms": 77,
    "request_id": "req_x",
    "price_id": "price_x",
    "multiplier_ppm": 5,
    "refers_to": "x",
    "reason": "x",
    "actor_id": "x",
}


@pytest.mark.parametrize("field", CHANGED)
def test_a_change_to_any_field_of_an_entry_is_told_where_it_is(field: str) -> None:
    entries = chain(STORY)
    changed = structs.replace(entries[1].transfer, **{field: CHANGED[field]})
    entries[1] = structs.replace(entries[1], transfer=changed)
    found = told(entries)
    assert (2, "it is not what its hash was made from") in found
    assert {sequence for sequence, _ in found} == {2}


def test_every_field_is_under_the_hash() -> None:
    assert {*CHANGED, "account_id", "expires_at_ms"} == {field.name for field in structs.fields(Transfer)}
    grants = [canonical(transfer("grant", 1, expires_at_ms=when), 1, 1) for when in (None, 1, 11)]
    accounts = [canonical(structs.replace(transfer("grant", 1), account_id=of), 1, 1) for of in ("a", "b")]
    assert len({*grants, *accounts}) == 5
    assert canonical(transfer("grant", 1), 1, 2) != canonical(transfer("grant", 1), 2, 1)


def test_an_entry_that_was_made_whole_again_breaks_the_one_after_it() -> None:
    entries = chain(STORY)
    forged = append(tail_of(entries[0]), structs.replace(entries[1].transfer, amount=-1))
    entries[1] = forged
    assert told(entries) == [
        (3, "its balance is 65, 99 and -5 make another"),
        (3, "it is not chained to the entry before it"),
    ]


def test_a_missing_a_doubled_and_a_strange_entry_are_told() -> None:
    entries = chain(STORY)
    assert told(entries[:2] + entries[3:])[0] == (4, "it follows 2: entries are missing, doubled or out of order")
    assert told([*entries[:2], *entries[1:]])[0] == (2, "it follows 2: entries are missing, doubled or out of order")
    strange = structs.replace(entries[0], transfer=structs.replace(entries[0].transfer, account_id="acc_b"))
    assert told([strange])[0] == (1, "it belongs to acc_b")


def test_entries_cut_off_at_the_end_are_told_by_the_tail() -> None:
    entries = chain(STORY)
    tail = tail_of(entries[-1])
    assert told(entries, tail) == []
    assert [sequence for sequence, _ in told(entries[:-1], tail)] == [4]
    assert "ends otherwise: at 4 with 75 nano-USD" in told(entries[:-1], tail)[0][1]
    for wrong in (structs.replace(tail, balance=1), structs.replace(tail, hash=FIRST)):
        assert len(told(entries, wrong)) == 1


def test_an_entry_that_breaks_the_rule_of_its_kind_is_told_even_if_its_hash_is_right() -> None:
    bad = transfer("refund", -5)
    digest = sha256(FIRST + canonical(bad, 1, -5)).digest()
    entry = Entry(transfer=bad, sequence=1, balance=-5, previous=FIRST, hash=digest)
    assert told([entry]) == [(1, "a refund cannot be -5 nano-USD")]


def test_legs_that_do_not_sum_to_zero_are_named() -> None:
    rows = [Leg("txn_1", "acc_a", 5), Leg("txn_1", "platform:grants", -5), Leg("txn_2", "acc_a", 3)]
    assert unbalanced(rows) == {"txn_2": 3}
    assert balances(rows) == {"acc_a": 8, "platform:grants": -5}


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_what_was_held_pays_first_and_the_rest_is_overrun(held: int, charge: int) -> None:
    within, beyond = split(held, charge)
    assert within + beyond == -charge
    assert -held <= within <= 0
    assert beyond <= 0
    assert beyond == 0 or within == -held


@pytest.mark.parametrize(("held", "charge"), [(-1, 0), (0, -1)])
def test_nothing_below_zero_is_split(held: int, charge: int) -> None:
    with pytest.raises(ValueError, match="below nothing"):
        split(held, charge)


def test_no_more_is_refunded_than_was_charged() -> None:
    """The provider billed and the caller got the money back, twice: a refund is bounded by its request."""
    request = [transfer("charge", -30), transfer("overrun", -5), transfer("re_rate", 2)]
    assert refundable(request) == 33
    request.append(transfer("refund", 33))
    assert refundable(request) == 0
    assert refundable([*request, transfer("refund", 1)]) == 0
    assert refundable([transfer("grant", 100), transfer("charge", -1)]) == 1


def test_a_flaw_names_the_chain_and_the_entry() -> None:
    entries = chain(STORY)
    entries[2] = structs.replace(entries[2], balance=7)
    flaws = list(verify(entries, "acc_a", ChainEnd("acc_a", 5, 1, bytes(32))))
    assert {flaw.account_id for flaw in flaws} == {"acc_a"}
    assert flaws[0].transfer_id == "txn_3"
    assert flaws[-1].transfer_id == ""
    assert flaws[-1].reason.endswith(f" nano-USD and {entries[-1].hash.hex()[:16]}")


def test_all_that_is_missing_is_named() -> None:
    bare = structs.replace(transfer("re_rate", 1), request_id=None, price_id=None)
    assert flaw_of(bare) == "a re_rate must name its request_id and price_id"
