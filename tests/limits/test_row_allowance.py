"""What one account does without paying for it does not fill the database."""

from tollhouse.limits.row_allowance import RowAllowance

AT_ONCE, EVERY_MS = 1_000, 6_000
NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000


def test_so_many_at_once_and_then_few_and_every_account_by_itself() -> None:
    records = RowAllowance(AT_ONCE, EVERY_MS)
    assert sum(records.admit("acc_a", NOW_MS) for _ in range(10_000)) == AT_ONCE
    assert records.admit("acc_b", NOW_MS)
    assert not records.admit("acc_a", NOW_MS + EVERY_MS - 1)
    assert records.admit("acc_a", NOW_MS + EVERY_MS)
    day = sum(records.admit("acc_c", NOW_MS + second * 1_000) for second in range(86_400))
    assert AT_ONCE <= day <= AT_ONCE + DAY_MS // EVERY_MS


def test_what_binds_nobody_is_forgotten() -> None:
    records = RowAllowance(AT_ONCE, EVERY_MS)
    records.admit("acc_a", NOW_MS)
    records.sweep(NOW_MS + EVERY_MS)
    assert records._until_ms == {}
    assert records.admit("acc_a", NOW_MS - DAY_MS), "also by a clock that was set back"


def test_a_clock_that_was_set_back_forgets_what_it_has_not_seen_yet() -> None:
    records = RowAllowance(AT_ONCE, EVERY_MS)
    while records.admit("acc_a", NOW_MS):
        pass
    assert records.admit("acc_a", NOW_MS - DAY_MS)
