from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.harness import AdminHarness, at_work
from tests.console.harness import Browser, member


@pytest.fixture
def admin(tmp_path: Path) -> Iterator[AdminHarness]:
    with at_work(tmp_path) as working:
        yield working


@pytest.fixture
def owner(admin: AdminHarness) -> Browser:
    """An owner of alpha, signed in."""
    browser = Browser(admin)
    browser.sign_in(member(admin, "alpha"))
    browser.get("/console/")
    return browser
