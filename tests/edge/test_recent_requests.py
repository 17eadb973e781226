"""Calls as they end are told once each, in the order of their ends, to whoever follows with the cursor he was given."""

import pytest

from tests.store.samples import request
from tollhouse.core.failure import BadRequest
from tollhouse.core.usage_record import UsageRecord
from tollhouse.edge.recent_requests import RecentRequests
from tollhouse.services.pages import Page


def everything(call: UsageRecord) -> bool:
    return True


def ids(page: Page[UsageRecord]) -> list[str]:
    return [call.id for call in page.records]


def ended(*numbers: int, kept: int = 1_000) -> RecentRequests:
    recent = RecentRequests(5, kept)
    for number in numbers:
        recent.add([request(number, status=200 if number % 2 else 500)])
    return recent


def test_the_last_ones_come_first_and_then_each_once_also_a_slow_one_that_began_before() -> None:
    recent = ended(3, 4, 5)
    page = recent.page(None, 2, everything)
    assert ids(page) == ["req_4", "req_5"]
    recent.add([request(1)])  # it came first and took long
    recent.add([request(6)])
    page = recent.page(page.next, 10, everything)
    assert ids(page) == ["req_1", "req_6"]
    assert ids(recent.page(page.next, 10, everything)) == []


def test_a_page_ends_where_it_is_full_and_the_next_goes_on_there() -> None:
    recent = ended(1, 2, 3, 4, 5)
    seen, after = [], "5-0"
    for _ in range(3):
        page = recent.page(after, 2, everything)
        seen.append(ids(page))
        assert page.next is not None
        after = page.next
    assert seen == [["req_1", "req_2"], ["req_3", "req_4"], ["req_5"]]


def test_only_those_that_are_wanted() -> None:
    recent = ended(1, 2, 3, 4)
    assert ids(recent.page(None, 10, lambda call: call.status == 500)) == ["req_2", "req_4"]
    assert ids(recent.page("5-1", 1, lambda call: call.status == 500)) == ["req_2"]
    assert ids(recent.page("5-2", 1, lambda call: call.status == 500)) == ["req_4"]


def test_who_followed_too_slowly_misses_what_was_dropped() -> None:
    assert ids(ended(1, 2, 3, 4, 5, kept=2).page("5-1", 10, everything)) == ["req_4", "req_5"]


def test_a_cursor_of_a_process_before_begins_anew() -> None:
    assert ids(ended(1, 2).page("4-77", 10, everything)) == ["req_1", "req_2"]
    assert ids(ended(1, 2).page("5-77", 10, everything)) == []


@pytest.mark.parametrize("cursor", ["", "5", "-", "5-", "a-1", "5-1-2", "٥-1", "5-" + "9" * 30])
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequest):
        ended(1).page(cursor, 10, everything)
