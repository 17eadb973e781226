"""The official `openai` package reads an account's usage and costs with its admin key, page after page."""

import pytest
from openai import OpenAI, PermissionDeniedError

from tests.clients.conftest import Connect
from tests.support.server_process import ServerProcess

DAY = 86_400


@pytest.fixture(scope="module")
def used(demo: ServerProcess, connect: Connect) -> ServerProcess:
    """A platform on which three calls were made."""
    client = connect(api_key=demo.facts["api_key"])
    for model in ("gpt-4o", "gpt-4o", "gpt-4.1"):
        client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Where does the Rhine begin?"}]
        )
    return demo


@pytest.fixture(scope="module")
def owner(used: ServerProcess, connect: Connect) -> OpenAI:
    return connect(api_key="", admin_api_key=used.facts["admin_key"])


@pytest.fixture(scope="module")
def since(used: ServerProcess, connect: Connect) -> int:
    """Two days before the demo's key was made."""
    made = connect(api_key=used.facts["api_key"]).get("/key", cast_to=dict[str, int])["created_at"]
    return made - 2 * DAY


def test_usage_by_model(owner: OpenAI, since: int) -> None:
    usage = owner.admin.organization.usage.completions(start_time=since, group_by=["model"])
    assert usage.object == "page"
    counted: dict[str, int] = {}
    for bucket in usage.data:
        for result in bucket.results:
            assert result.object == "organization.usage.completions.result"
            assert result.input_tokens > 0
            counted[result.model or ""] = counted.get(result.model or "", 0) + result.num_model_requests
    assert counted == {"gpt-4o": 2, "gpt-4.1": 1}


def test_costs_and_their_pages(owner: OpenAI, since: int) -> None:
    costs = owner.admin.organization.usage.costs
    whole = costs(start_time=since, group_by=["line_item", "project_id"])
    pages, cursor = [costs(start_time=since, limit=1)], None
    while pages[-1].has_more:
        cursor = pages[-1].next_page
        assert cursor is not None
        pages.append(costs(start_time=since, limit=1, page=cursor))
    assert [bucket.start_time for page in pages for bucket in page.data] == [bucket.start_time for bucket in whole.data]
    amounts = [
        sum(
            result.amount.value or 0
            for bucket in buckets
            for result in bucket.results
            if result.object == "organization.costs.result" and result.amount is not None
        )
        for buckets in (whole.data, [bucket for page in pages for bucket in page.data])
    ]
    assert amounts[0] == pytest.approx(amounts[1], abs=1e-9)
    assert amounts[0] > 0


def test_an_api_key_is_told_that_it_takes_an_admin_key(used: ServerProcess, connect: Connect, since: int) -> None:
    with pytest.raises(PermissionDeniedError, match="admin key"):
        connect(api_key="", admin_api_key=used.facts["api_key"]).admin.organization.usage.costs(start_time=since)
