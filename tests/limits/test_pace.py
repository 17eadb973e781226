"""G2: a flood of refusals takes a small part of the event loop: beyond its pace they are answered later and later."""

from tollhouse.limits.pace import ADDRESSES_MAX, BURST, DELAY_MS_MAX, PER_SECOND, RefusalPace

NOW_MS = 1_790_000_000_000


def test_refusals_within_the_burst_are_answered_at_once() -> None:
    pace = RefusalPace()
    assert {pace.delay_ms("192.0.2.7", NOW_MS) for _ in range(BURST)} == {0}


def test_beyond_it_they_are_answered_at_the_pace_and_never_later_than_the_maximum() -> None:
    pace = RefusalPace()
    delays = [pace.delay_ms("192.0.2.7", NOW_MS) for _ in range(BURST + 10 * PER_SECOND)]
    assert delays[BURST + 500] == 501 * 1_000 // PER_SECOND
    assert delays == sorted(delays)
    assert delays[-1] == DELAY_MS_MAX


def test_another_address_is_not_delayed_and_time_brings_the_burst_back() -> None:
    pace = RefusalPace()
    for _ in range(BURST * 2):
        pace.delay_ms("192.0.2.7", NOW_MS)
    assert pace.delay_ms("192.0.2.8", NOW_MS) == 0
    assert pace.delay_ms("/run/tollhouse.sock", NOW_MS) == 0
    assert pace.delay_ms("192.0.2.7", NOW_MS + 10_000) == 0


def test_addresses_are_forgotten() -> None:
    pace = RefusalPace()
    pace.delay_ms("192.0.2.7", NOW_MS)
    pace.sweep(NOW_MS + 60_000)
    assert not pace._due_us


def test_of_very_many_addresses_nothing_is_remembered() -> None:
    pace = RefusalPace()
    for _ in range(BURST + 10):
        pace.delay_ms("192.0.2.7", NOW_MS)
    assert pace.delay_ms("192.0.2.7", NOW_MS) > 0
    for number in range(ADDRESSES_MAX):
        pace.delay_ms(f"198.{number >> 16}.{number >> 8 & 255}.{number & 255}", NOW_MS)
    assert pace.delay_ms("192.0.2.7", NOW_MS) == 0


def test_what_weighs_more_is_given_less_often() -> None:
    pace = RefusalPace()
    assert {pace.delay_ms("192.0.2.7", NOW_MS, 20) for _ in range(BURST // 20)} == {0}
    assert pace.delay_ms("192.0.2.7", NOW_MS, 20) == 20_000 // PER_SECOND


def test_an_account_has_a_pace_of_its_own() -> None:
    pace = RefusalPace()
    assert {pace.account_delay_ms("acc_1", NOW_MS, 10) for _ in range(BURST // 10)} == {0}
    assert pace.account_delay_ms("acc_1", NOW_MS, 10) > 0
    assert pace.account_delay_ms("acc_2", NOW_MS, 10) == 0
    assert pace.delay_ms("192.0.2.7", NOW_MS) == 0
