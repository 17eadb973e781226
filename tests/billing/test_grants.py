"""What is left of each grant, from a few entries, is what a look through every charge finds."""

from hypothesis import given
from hypothesis import strategies as st

from tollhouse.billing.credit_lots import CreditLot, CreditLots, after
from tollhouse.billing.grants import Grant, credit_lots, grants
from tollhouse.billing.ledger import ChainEnd, Entry, Kind, Transfer, append, tail_of

CHARGES = ("charge", "overrun")


def transfer(number: int, kind: Kind, amount: int, **more: object) -> Transfer:
    made: dict[str, object] = {"request_id": f"req_{number}"} if kind in CHARGES else {}
    return Transfer(id=f"txn_{number}", account_id="acc_a", kind=kind, amount=amount, time_ms=number, **made | more)  # type: ignore[arg-type]


def chained(transfers: list[Transfer]) -> list[Entry]:
    tail, entries = ChainEnd("acc_a"), []
    for one in transfers:
        entries.append(append(tail, one))
        tail = tail_of(entries[-1])
    return entries


moves = st.lists(
    st.one_of(
        st.tuples(st.just("charge"), st.integers(-50, 0), st.none()),
        st.tuples(st.sampled_from(("grant", "top_up")), st.integers(1, 50), st.none()),
        st.tuples(st.just("grant"), st.integers(1, 50), st.integers(100, 105)),
        st.tuples(st.just("adjustment"), st.integers(-30, 30).filter(bool), st.none()),
        st.tuples(st.just("expiry"), st.just(0), st.none()),
    ),
    max_size=30,
)


def told(steps: list[tuple[Kind, int, int | None]]) -> list[Transfer]:
    """Transfers as they may come; an expiry ends what is left of the first lot that expires, if there is one."""
    transfers: list[Transfer] = []
    for number, (kind, amount, expires) in enumerate(steps):
        if kind == "expiry":
            lot = next((one for one in after(CreditLots(), transfers).lots if one.expires_at_ms is not None), None)
            if lot is not None:
                transfers.append(transfer(number, kind, -lot.left, refers_to=lot.id))
            continue
        reason = "because" if kind == "adjustment" else None
        transfers.append(transfer(number, kind, amount, expires_at_ms=expires, reason=reason))
    return transfers


@given(moves)
def test_the_money_lies_as_every_single_charge_left_it(steps: list[tuple[Kind, int, int | None]]) -> None:
    transfers = told(steps)
    entries = chained(transfers)
    non_charges = [entry for entry in entries if entry.transfer.kind not in CHARGES]
    balance = entries[-1].balance if entries else 0
    slow = after(CreditLots(), transfers)
    assert credit_lots(non_charges, balance) == slow
    left = {lot.id: lot.left for lot in slow.lots}
    for grant in grants(non_charges, balance):
        assert 0 <= grant.used <= grant.amount - left.get(grant.id, 0)


def test_used_is_what_went_into_calls_and_not_what_expired() -> None:
    transfers = [
        transfer(1, "grant", 10, expires_at_ms=50),
        transfer(2, "charge", -4),
        transfer(3, "expiry", -2, refers_to="txn_1"),
        transfer(4, "expiry", -4, refers_to="txn_1"),  # what a call in flight had held
        transfer(6, "top_up", 20),
        transfer(7, "charge", -5),
    ]
    non_charges = [entry for entry in chained(transfers) if entry.transfer.kind != "charge"]
    assert grants(non_charges, 15) == [
        Grant(id="txn_1", amount=10, used=4, effective_at_ms=1, expires_at_ms=50),
        Grant(id="txn_6", amount=20, used=5, effective_at_ms=6),
    ]
    assert credit_lots(non_charges, 15) == CreditLots((CreditLot("txn_6", 20, 15),))
    assert grants([], 7) == []
