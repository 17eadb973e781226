"""`/v1/organization/*`: an account's usage and costs in the original's buckets, for its admin key."""

import json
import time
from decimal import Decimal
from typing import Any

import pytest

from tests.walks.house import House

CHAT = "/v1/chat/completions"
DAY = 86_400


class Organization:
    """An account with an admin key and two projects with a key each, which called a little today."""

    def __init__(self, house: House) -> None:
        self.house = house
        house.operator("accounts.create", name="org", credit_limit_usd="50")
        self.second = str(house.operator("projects.create", name="org-second", account="org")["id"])
        self.admin = house.key("org-admin", account="org", mode="admin")
        one, two = house.key("org-one", account="org"), house.key("org-two", account="org", project="org-second")
        test = house.key("org-test", account="org", mode="test")
        self.two_id = str(house.get("/v1/key", two).json["id"])
        self.charged = Decimal(0)
        self.tokens = {"gpt-4o": [0, 0, 0], "gpt-4.1": [0, 0, 0]}
        for key, model in ((one, "gpt-4o"), (two, "gpt-4o"), (two, "gpt-4.1"), (test, "gpt-4o")):
            body = {"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 30}
            told = house.post(CHAT, key, body).json["usage"]
            if key != test:
                for place, figure in enumerate((told["prompt_tokens"], told["completion_tokens"], 1)):
                    self.tokens[model][place] += figure
        house.post("/v1/embeddings", one, {"model": "text-embedding-3-small", "input": "hello there"})
        self.spent = 50 - Decimal(house.get("/v1/key", one).json["balance"]["available_usd"])

    def ask(self, path: str) -> Any:
        reply = self.house.get(f"/v1/organization/{path}", self.admin)
        assert reply.status == 200, reply.body
        return json.loads(reply.body, parse_float=Decimal)

    def results(self, path: str) -> list[dict[str, Any]]:
        """Of all buckets of one page."""
        return [result for bucket in self.ask(path)["data"] for result in bucket["results"]]


@pytest.fixture(scope="module")
def org(house: House) -> Organization:
    return Organization(house)


SINCE = int(time.time()) - 3 * DAY


def test_usage_has_the_originals_shape(org: Organization) -> None:
    told = org.ask(f"usage/completions?start_time={SINCE}")
    assert (told["object"], told["has_more"], told["next_page"]) == ("page", False, None)
    for bucket, after in zip(told["data"], told["data"][1:], strict=False):
        assert bucket["end_time"] == after["start_time"] == bucket["start_time"] + DAY
    assert {bucket["object"] for bucket in told["data"]} == {"bucket"}
    assert told["data"][0]["start_time"] == SINCE - SINCE % DAY
    assert told["data"][0]["results"] == []
    (result,) = [result for bucket in told["data"] for result in bucket["results"]]
    sums = [sum(column) for column in zip(*org.tokens.values(), strict=True)]
    assert result["object"] == "organization.usage.completions.result"
    assert [result["input_tokens"], result["output_tokens"], result["num_model_requests"]] == sums
    for name in ("input_cached_tokens", "input_audio_tokens", "output_audio_tokens"):
        assert result[name] == 0
    for name in ("project_id", "user_id", "api_key_id", "model", "batch"):
        assert result[name] is None


@pytest.mark.parametrize("spelling", ["group_by", "group_by[]"])
def test_usage_is_grouped_and_narrowed(org: Organization, spelling: str) -> None:
    by_model = org.results(f"usage/completions?start_time={SINCE}&{spelling}=model&{spelling}=batch")
    assert {
        one["model"]: [one["input_tokens"], one["output_tokens"], one["num_model_requests"]] for one in by_model
    } == (org.tokens)
    assert {one["batch"] for one in by_model} == {False}
    by_key = org.results(f"usage/completions?start_time={SINCE}&{spelling}=api_key_id&{spelling}=project_id")
    assert sum(one["num_model_requests"] for one in by_key) == 3
    assert {one["num_model_requests"] for one in by_key if one["api_key_id"] == org.two_id} == {2}
    assert {one["project_id"] for one in by_key if one["api_key_id"] == org.two_id} == {org.second}
    (mine,) = org.results(f"usage/completions?start_time={SINCE}&api_key_ids={org.two_id}&models[]=gpt-4.1")
    assert mine["output_tokens"] == org.tokens["gpt-4.1"][1]
    assert org.results(f"usage/completions?start_time={SINCE}&project_ids=proj_of_another") == []
    assert org.results(f"usage/completions?start_time={SINCE}&batch=true") == []
    assert len(org.results(f"usage/completions?start_time={SINCE}&batch=false")) == 1


@pytest.mark.parametrize(
    ("kind", "figure"),
    [
        ("embeddings", "input_tokens"),
        ("moderations", "input_tokens"),
        ("images", "images"),
        ("audio_speeches", "characters"),
        ("audio_transcriptions", "seconds"),
    ],
)
def test_each_kind_has_its_own_figures(org: Organization, kind: str, figure: str) -> None:
    found = org.results(f"usage/{kind}?start_time={SINCE}")
    if kind != "embeddings":
        assert found == []
        return
    (result,) = found
    assert result["object"] == f"organization.usage.{kind}.result"
    assert result[figure] > 0
    assert result["num_model_requests"] == 1


def test_pages_follow_each_other_without_a_gap(org: Organization) -> None:
    whole = org.ask(f"usage/completions?start_time={SINCE}&bucket_width=1h&limit=168")["data"]
    pages, cursor = [], ""
    while True:
        told = org.ask(f"usage/completions?start_time={SINCE}&bucket_width=1h&limit=50{cursor}")
        pages += told["data"]
        if not told["has_more"]:
            break
        cursor = f"&page={told['next_page']}"
    assert [bucket["start_time"] for bucket in pages] == [bucket["start_time"] for bucket in whole]
    assert sum(result["num_model_requests"] for bucket in whole for result in bucket["results"]) == 3
    assert len(org.ask(f"usage/completions?start_time={SINCE}&bucket_width=1h")["data"]) == 24
    assert len(org.ask(f"usage/completions?start_time={SINCE - 60 * DAY}")["data"]) == 7


def test_costs_are_what_was_charged_to_the_nano_dollar(org: Organization) -> None:
    (result,) = org.results(f"costs?start_time={SINCE}")
    assert result["object"] == "organization.costs.result"
    assert result["amount"] == {"value": org.spent, "currency": "usd"}
    assert (result["line_item"], result["project_id"]) == (None, None)
    for query in ("group_by=line_item", "group_by[]=project_id", "group_by=line_item&group_by=project_id"):
        parts = org.results(f"costs?start_time={SINCE}&{query}")
        assert sum(one["amount"]["value"] for one in parts) == org.spent
        assert all((one["line_item"] is not None) == ("line_item" in query) for one in parts)
        assert all((one["project_id"] is not None) == ("project_id" in query) for one in parts)
    items = {one["line_item"] for one in org.results(f"costs?start_time={SINCE}&group_by=line_item")}
    assert items == {"gpt-4o", "gpt-4.1", "text-embedding-3-small"}
    second = org.results(f"costs?start_time={SINCE}&project_ids[]={org.second}")
    assert 0 < sum(one["amount"]["value"] for one in second) < org.spent


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("", "start_time"),
        ("?start_time=now", "start_time"),
        ("?start_time=-1", "start_time"),
        ("?start_time=9999999999999", "start_time"),
        ("?start_time=100&end_time=100", "end_time"),
        ("?start_time=0&bucket_width=1m", "bucket_width"),
        ("?start_time=0&bucket_width=1w", "bucket_width"),
        ("?start_time=0&limit=0", "limit"),
        ("?start_time=0&limit=32", "limit"),
        ("?start_time=0&limit=169&bucket_width=1h", "limit"),
        ("?start_time=0&group_by=colour", "group_by"),
        ("?start_time=0&user_ids=u", "user_ids"),
        ("?start_time=0&page=7", "page"),
        ("?start_time=0&page=page_7", "page"),
        ("?start_time=86400&page=page_0", "page"),
        ("?start_time=0&start_time=1", "start_time"),
    ],
)
def test_what_cannot_be_asked_is_a_400_that_names_it(org: Organization, query: str, param: str) -> None:
    reply = org.house.get(f"/v1/organization/usage/completions{query}", org.admin)
    assert reply.verdict == (400, "invalid_request_error")
    assert reply.error["param"] == param


def test_minutes_are_refused_by_saying_what_is_kept(org: Organization) -> None:
    reply = org.house.get("/v1/organization/usage/completions?start_time=0&bucket_width=1m", org.admin)
    assert "quarter of an hour" in reply.error["message"]
    assert org.house.get("/v1/organization/costs?start_time=0&bucket_width=1h", org.admin).status == 400


def test_a_start_in_the_future_is_an_empty_page(org: Organization) -> None:
    told = org.ask(f"costs?start_time={SINCE + 90 * DAY}")
    assert (told["data"], told["has_more"]) == ([], False)


def test_it_is_for_the_admin_key_of_the_account_only(org: Organization) -> None:
    house = org.house
    path = f"/v1/organization/costs?start_time={SINCE}"
    assert house.get(path, house.facts["api_key"]).verdict == (403, "scope_missing")
    assert house.get(path).verdict == (401, "invalid_api_key")
    other = house.get(path, house.key("org-none", account="demo", mode="admin"))
    assert org.two_id.encode() not in other.body
