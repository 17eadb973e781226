"""What a page asks the database for: few questions and few rows, however many calls there are."""

import pytest

from tests.admin.harness import AdminHarness
from tests.console import platform
from tests.console.harness import Browser
from tests.console.reads import ROWS_MAX, counted, fill, pages

CALLS = 50_000


@pytest.fixture
def operator(admin: AdminHarness) -> Browser:
    return platform.signed_in(admin, platform.furnished(admin))


def test_page_reads_little_of_many_calls(admin: AdminHarness, owner: Browser, operator: Browser) -> None:
    request_id = fill(admin, CALLS)
    seen = {}
    for browser, of_platform in ((owner, False), (operator, True)):
        for path in pages(of_platform=of_platform, request_id=request_id):
            with counted(admin) as reads:
                assert browser.get(path).status == 200, path
            seen[path] = reads
    assert {path: reads.rows for path, reads in seen.items() if reads.too_many} == {}
    assert 50 < seen["/console/requests"].rows < ROWS_MAX, "rows are counted"
