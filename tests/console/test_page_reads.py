"""What a page asks the database for: few questions and few rows, however many calls there are."""

import re

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tests.console import platform
from tests.console.harness import Browser
from tests.console.reads import ROWS_MAX, counted, fill, fill_sums, pages
from tests.services.harness import of_account
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import account_figures, ledger
from tollhouse.services.rehearsal import rehearse

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


def test_page_reads_little_of_many_days_models_and_accounts(
    admin: AdminHarness, owner: Browser, operator: Browser
) -> None:
    """The figures are exact all the same: every row of the sums is a nano-dollar."""
    alpha = admin.accounts["alpha"]
    others = [admin.operator("POST", "/api/v1/accounts", {"name": f"many {at}"}).body["id"] for at in range(24)]
    fill_sums(admin, [alpha], days=2_500, models=100)
    fill_sums(admin, others, days=30, models=100)
    services, acting = admin.services, of_account(alpha)
    owner.get("/console/budgets/new")
    with counted(admin) as reads:
        assert owner.get("/console/billing/statement").status == 200
    assert not reads.too_many, reads.rows
    with counted(admin) as reads:
        shown = owner.post("/console/budgets", on="account", amount_usd="0.00000005", window="day", do="rehearse")
        assert "on 30 days" in shown.html
    assert not reads.too_many, reads.rows
    found = admin.runner.run(ledger.statement(services, acting))
    before = (admin.clock.ms - found.from_ms) // DAY_MS + 1
    assert found.opening == -(2_500 - 60 + (60 - before) * 100)
    assert [line.amount for line in found.lines if line.kind == "charge"] == [-100] * before
    tried = admin.runner.run(rehearse(services, acting, amount_usd="1", window="day", account=alpha, model="model-00*"))
    assert tried.most == 10

    seen: list[str] = []
    path = "/console/platform/accounts"
    while path:
        with counted(admin) as reads:
            html = operator.get(path).html
        assert not reads.too_many, (path, reads.rows)
        seen += re.findall(r'href="/console/platform/accounts/(acc_\w+)"', html)
        following = re.findall(r'href="(\?after=[^"]+)"', html)
        path = f"/console/platform/accounts{following[0]}" if following else ""
    assert len(seen) == len(set(seen)) == len(services.directory.accounts)
    figures = admin.runner.run(account_figures.show(services, OPERATOR, others[0]))
    assert (figures.spent, figures.calls, figures.failed) == (30 * 100, 30 * 100, 0)
