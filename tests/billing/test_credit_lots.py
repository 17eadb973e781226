"""What is left of each credit: what expires soonest is spent first; nothing is lost or made on the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tollhouse.billing.credit_lots import CreditLot, CreditLots, after, due
from tollhouse.billing.grants import credit_lots as laid_out
from tollhouse.billing.grants import grants
from tollhouse.billing.ledger import ChainEnd, Entry, Kind, Transfer, append, tail_of


def transfer(
    number: int, kind: Kind, amount: int, expires_at_ms: int | None = None, refers_to: str | None = None
) -> Transfer:
    return Transfer(
        id=f"txn_{number}",
        account_id="acc_a",
        kind=kind,
        amount=amount,
        time_ms=number,
        expires_at_ms=expires_at_ms,
        refers_to=refers_to,
    )


def left(credit_lots: CreditLots) -> dict[str, int]:
    return {lot.id: lot.left for lot in credit_lots.lots}


GIVEN = (
    transfer(1, "top_up", 50),
    transfer(2, "grant", 30, 900),
    transfer(3, "grant", 20, 500),
    transfer(4, "grant", 10, 900),
)


def test_what_expires_soonest_is_spent_first_and_of_equals_the_older() -> None:
    credit_lots = after(CreditLots(), GIVEN)
    assert [lot.id for lot in credit_lots.lots] == ["txn_3", "txn_2", "txn_4", "txn_1"]
    assert left(after(credit_lots, [transfer(5, "charge", -25)])) == {"txn_2": 25, "txn_4": 10, "txn_1": 50}
    assert left(after(credit_lots, [transfer(5, "charge", -20), transfer(6, "overrun", -35)])) == {
        "txn_4": 5,
        "txn_1": 50,
    }


def test_what_is_left_of_a_grant_is_due_when_its_time_is_over() -> None:
    credit_lots = after(CreditLots(), [*GIVEN, transfer(5, "charge", -5)])
    assert due(credit_lots, 499) == []
    assert due(credit_lots, 500) == [CreditLot("txn_3", 20, 15, 500)]
    assert [lot.id for lot in due(credit_lots, 900)] == ["txn_3", "txn_2", "txn_4"]
    ended = after(credit_lots, [transfer(6, "expiry", -15, refers_to="txn_3")])
    assert left(ended) == {"txn_2": 30, "txn_4": 10, "txn_1": 50}
    assert due(ended, 500) == []


def test_an_expiry_may_take_a_part_and_the_rest_later() -> None:
    credit_lots = after(CreditLots(), [*GIVEN, transfer(6, "expiry", -12, refers_to="txn_2")])
    assert left(credit_lots) == {"txn_3": 20, "txn_2": 18, "txn_4": 10, "txn_1": 50}
    assert left(after(credit_lots, [transfer(7, "expiry", -18, refers_to="txn_2")])) == {
        "txn_3": 20,
        "txn_4": 10,
        "txn_1": 50,
    }


def test_an_expiry_takes_no_other_money() -> None:
    credit_lots = after(CreditLots(), GIVEN)
    for lot, amount in (("txn_3", -21), ("txn_9", -1)):
        with pytest.raises(ValueError, match="has less left"):
            after(credit_lots, [transfer(6, "expiry", amount, refers_to=lot)])


def test_a_charge_beyond_everything_is_a_debt_that_what_comes_in_pays_first() -> None:
    credit_lots = after(CreditLots(), [transfer(1, "grant", 10, 500), transfer(2, "charge", -15)])
    assert credit_lots == CreditLots((), 5)
    assert credit_lots.balance() == -5
    assert after(credit_lots, [transfer(3, "top_up", 3)]) == CreditLots((), 2)
    assert after(credit_lots, [transfer(3, "top_up", 5)]) == CreditLots((), 0)
    assert after(credit_lots, [transfer(3, "top_up", 9)]) == CreditLots((CreditLot("txn_3", 9, 4),), 0)


def test_refunds_and_corrections_come_in_without_an_end() -> None:
    credit_lots = after(
        CreditLots(), [transfer(1, "refund", 3), transfer(2, "adjustment", 4), transfer(3, "re_rate", 5)]
    )
    assert [(lot.left, lot.expires_at_ms) for lot in credit_lots.lots] == [(3, None), (4, None), (5, None)]
    assert after(credit_lots, [transfer(4, "adjustment", -12)]) == CreditLots((), 0)
    assert after(credit_lots, [transfer(4, "charge", 0)]) == credit_lots


steps = st.tuples(
    st.sampled_from(["in", "out", "expire"]), st.integers(1, 100), st.one_of(st.none(), st.integers(1, 50))
)


@given(st.lists(steps, max_size=40))
def test_what_the_lots_have_left_less_the_debt_is_the_balance(walk: list[tuple[str, int, int | None]]) -> None:
    credit_lots, balance = CreditLots(), 0
    for number, (what, amount, when) in enumerate(walk):
        made: list[Transfer] = []
        if what == "in":
            made = [transfer(number, "grant", amount, when)]
        elif what == "out":
            made = [transfer(number, "charge", -amount)]
        else:
            made = [transfer(number, "expiry", -lot.left, refers_to=lot.id) for lot in due(credit_lots, amount)]
        credit_lots = after(credit_lots, made)
        balance += sum(each.amount for each in made)
        assert credit_lots.balance() == balance
        assert all(0 < lot.left <= lot.given for lot in credit_lots.lots)
        assert credit_lots.debt >= 0
        assert not (credit_lots.debt and credit_lots.lots)
        assert [lot.expires_at_ms or 10**9 for lot in credit_lots.lots] == sorted(
            lot.expires_at_ms or 10**9 for lot in credit_lots.lots
        )


@given(st.lists(steps, max_size=40))
def test_the_credit_lots_is_the_same_from_the_entries_that_are_no_charges(
    walk: list[tuple[str, int, int | None]],
) -> None:
    credit_lots, tail, non_charges = CreditLots(), ChainEnd("acc_a"), list[Entry]()
    for number, (what, amount, when) in enumerate(walk):
        made = [transfer(number, "grant", amount, when)]
        if what == "out":
            made = [structs.replace(transfer(number, "charge", -amount), request_id="req_1")]
        elif what == "expire":
            made = [transfer(number, "expiry", -lot.left, refers_to=lot.id) for lot in due(credit_lots, amount)]
        credit_lots = after(credit_lots, made)
        for one in made:
            entry = append(tail, one)
            tail = tail_of(entry)
            non_charges += [entry] if one.kind != "charge" else []
        assert laid_out(non_charges, tail.balance) == credit_lots


def test_a_grant_that_ended_in_parts_was_used_for_the_rest() -> None:
    tail, non_charges = ChainEnd("acc_a"), list[Entry]()
    for one in (
        transfer(1, "grant", 30, 900),
        transfer(2, "expiry", -10, refers_to="txn_1"),
        transfer(3, "expiry", -15, refers_to="txn_1"),
    ):
        entry = append(tail, one)
        tail, non_charges = tail_of(entry), [*non_charges, entry]
    (grant,) = grants(non_charges, tail.balance - 5)
    assert (grant.amount, grant.used) == (30, 5)


def test_a_lot_that_is_used_up_is_gone_and_a_debt_outlives_an_expiry() -> None:
    credit_lots = after(CreditLots(), [transfer(1, "grant", 10, 900), transfer(2, "charge", -10)])
    assert credit_lots == CreditLots((), 0)
    owing = after(credit_lots, [transfer(3, "charge", -4), transfer(4, "charge", 0)])
    assert owing == CreditLots((), 4)
    in_debt = CreditLots((CreditLot("txn_1", 10, 10, 900),), 4)
    assert after(in_debt, [transfer(5, "expiry", -10, refers_to="txn_1")]) == CreditLots((), 4)
    assert after(in_debt, [transfer(6, "charge", -3, refers_to="txn_9")]).lots[0].left == 7


def test_nothing_paid_in_is_no_lot() -> None:
    assert after(CreditLots(debt=3), [transfer(1, "charge", 0)]) == CreditLots(debt=3)
