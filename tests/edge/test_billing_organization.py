"""`/v1/organization/*`: an account's usage and costs in the original's buckets, for its admin key."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.security.platform_process import DemoPlatform

CHAT = "/v1/chat/completions"
DAY = 86_400
FIGURES = ("input_tokens", "output_tokens", "num_model_requests")


class Organization:
    """An account with an admin key and two projects with a key each, which called a little today."""

    def __init__(self, platform: DemoPlatform) -> None:
        self.platform = platform
        platform.operator("accounts.create", name="org", credit_limit_usd="50")
        self.second = str(platform.operator("projects.create", name="org-second", account="org")["id"])
        self.admin = platform.key("org-admin", account="org", mode="admin")
        self.since = int(platform.get("/v1/key", self.admin).json["created_at"]) - 3 * DAY
        one, two = platform.key("org-one", account="org"), platform.key("org-two", account="org", project="org-second")
        test = platform.key("org-test", account="org", mode="test")
        self.two_id = str(platform.get("/v1/key", two).json["id"])
        self.tokens = {"gpt-4o": [0, 0, 0], "gpt-4.1": [0, 0, 0]}
        for key, model in ((one, "gpt-4o"), (two, "gpt-4o"), (two, "gpt-4.1"), (test, "gpt-4o")):
            body = {"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 30}
            told = platform.post(CHAT, key, body).json["usage"]
            if key != test:
                for place, figure in enumerate((told["prompt_tokens"], told["completion_tokens"], 1)):
                    self.tokens[model][place] += figure
        platform.post(CHAT, one, {"model": "no-such-model", "messages": [{"role": "user", "content": "hello"}]})
        dear = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 16_000, "n": 1_000}
        platform.post(CHAT, one, dear)
        platform.post("/v1/embeddings", one, {"model": "text-embedding-3-small", "input": "hello there"})
        self.spent = 50 - Decimal(platform.get("/v1/key", one).json["balance"]["available_usd"])

    def ask(self, path: str) -> Any:
        reply = self.platform.get(f"/v1/organization/{path}", self.admin)
        assert reply.status == 200, reply.body
        return json.loads(reply.body, parse_float=Decimal)

    def results(self, path: str) -> list[dict[str, Any]]:
        """Of all buckets of one page."""
        return [result for bucket in self.ask(path)["data"] for result in bucket["results"]]


def summed(results: list[dict[str, Any]], name: str) -> int:
    """Over buckets: the calls may have been made about midnight."""
    return sum(int(result[name]) for result in results)


@pytest.fixture(scope="session")  # as long as the platform in which it has its name
def org(platform: DemoPlatform) -> Organization:
    return Organization(platform)


def test_usage_has_the_originals_shape(org: Organization) -> None:
    told = org.ask(f"usage/completions?start_time={org.since}")
    assert (told["object"], told["has_more"], told["next_page"]) == ("page", False, None)
    for bucket, after in zip(told["data"], told["data"][1:], strict=False):
        assert bucket["end_time"] == after["start_time"] == bucket["start_time"] + DAY
    assert {bucket["object"] for bucket in told["data"]} == {"bucket"}
    assert told["data"][0]["start_time"] == org.since - org.since % DAY
    assert told["data"][0]["results"] == []
    results = [result for bucket in told["data"] for result in bucket["results"]]
    sums = [sum(column) for column in zip(*org.tokens.values(), strict=True)]
    assert [summed(results, name) for name in FIGURES] == sums
    for result in results:
        assert result["object"] == "organization.usage.completions.result"
        for name in ("input_cached_tokens", "input_audio_tokens", "output_audio_tokens"):
            assert result[name] == 0
        for name in ("project_id", "user_id", "api_key_id", "model", "batch"):
            assert result[name] is None


def test_calls_that_used_nothing_make_no_result(org: Organization) -> None:
    found = org.results(f"usage/completions?start_time={org.since}&group_by=model")
    assert {one["model"] for one in found} == {"gpt-4o", "gpt-4.1"}
    assert all(one["num_model_requests"] for one in found)


@pytest.mark.parametrize("spelling", ["group_by", "group_by[]"])
def test_usage_is_grouped_and_narrowed(org: Organization, spelling: str) -> None:
    by_model = org.results(f"usage/completions?start_time={org.since}&{spelling}=model&{spelling}=batch")
    assert {
        one["model"]: [one["input_tokens"], one["output_tokens"], one["num_model_requests"]] for one in by_model
    } == (org.tokens)
    assert {one["batch"] for one in by_model} == {False}
    by_key = org.results(f"usage/completions?start_time={org.since}&{spelling}=api_key_id&{spelling}=project_id")
    assert summed(by_key, "num_model_requests") == 3
    assert summed([one for one in by_key if one["api_key_id"] == org.two_id], "num_model_requests") == 2
    assert {one["project_id"] for one in by_key if one["api_key_id"] == org.two_id} == {org.second}
    mine = org.results(f"usage/completions?start_time={org.since}&api_key_ids={org.two_id}&models[]=gpt-4.1")
    assert [summed(mine, name) for name in FIGURES] == org.tokens["gpt-4.1"]
    assert org.results(f"usage/completions?start_time={org.since}&project_ids=proj_of_another") == []
    assert org.results(f"usage/completions?start_time={org.since}&batch=true") == []
    assert summed(org.results(f"usage/completions?start_time={org.since}&batch=false"), "num_model_requests") == 3


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
    found = org.results(f"usage/{kind}?start_time={org.since}")
    if kind != "embeddings":
        assert found == []
        return
    assert {result["object"] for result in found} == {f"organization.usage.{kind}.result"}
    assert summed(found, figure) > 0
    assert summed(found, "num_model_requests") == 1


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("vector_stores", "&group_by=project_id&project_ids=p"),
        ("code_interpreter_sessions", "&group_by=project_id"),
        ("file_search_calls", "&group_by=vector_store_id&vector_store_ids=vs_1&user_ids=u&api_key_ids=k"),
        ("web_search_calls", "&group_by=context_level&group_by=model&context_levels=low&models=gpt-4o"),
        ("images", "&group_by=size&group_by=source&sizes=1024x1024&sources=image.edit"),
        ("images", "&group_by=source"),
        ("embeddings", "&user_ids=u"),
        ("completions", "&user_ids[]=u&user_ids[]=v"),
    ],
)
def test_what_nobody_used_is_a_page_of_empty_buckets(org: Organization, kind: str, asked: str) -> None:
    told = org.ask(f"usage/{kind}?start_time={org.since}&bucket_width=1d{asked}")
    assert (told["object"], told["has_more"], told["next_page"]) == ("page", False, None)
    assert len(told["data"]) in (4, 5)
    assert all(bucket["results"] == [] for bucket in told["data"])
    assert org.results(f"costs?start_time={org.since}&user_ids=u") == []


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("vector_stores?start_time=0&group_by=model", "group_by"),
        ("vector_stores?start_time=0&user_ids=u", None),
        ("web_search_calls?start_time=0&context_levels=huge", "context_levels"),
        ("file_search_calls?start_time=0&models=m", "models"),
        ("images?start_time=0&sizes=1x1", "sizes"),
        ("images?start_time=0&sources=camera", "sources"),
        ("web_search_calls", "start_time"),
        ("vector_stores?start_time=0&limit=32", "limit"),
    ],
)
def test_of_these_too_a_mistake_is_named(org: Organization, path: str, param: str | None) -> None:
    reply = org.platform.get(f"/v1/organization/usage/{path}", org.admin)
    if param is None:
        assert reply.status == 200
    else:
        assert (reply.verdict, reply.error["param"]) == ((400, "invalid_request_error"), param)


def test_a_tier_is_not_told_apart(org: Organization) -> None:
    found = org.results(f"usage/completions?start_time={org.since}&group_by=service_tier&group_by=model")
    assert {result["service_tier"] for result in found} == {None}
    assert summed(found, "num_model_requests") == 3


def test_pages_follow_each_other_without_a_gap(org: Organization) -> None:
    whole = org.ask(f"usage/completions?start_time={org.since}&bucket_width=1h&limit=168")["data"]
    pages, cursor = [], ""
    while True:
        told = org.ask(f"usage/completions?start_time={org.since}&bucket_width=1h&limit=50{cursor}")
        pages += told["data"]
        if not told["has_more"]:
            break
        cursor = f"&page={told['next_page']}"
    assert [bucket["start_time"] for bucket in pages] == [bucket["start_time"] for bucket in whole]
    assert sum(result["num_model_requests"] for bucket in whole for result in bucket["results"]) == 3
    assert len(org.ask(f"usage/completions?start_time={org.since}&bucket_width=1h")["data"]) == 24
    assert len(org.ask(f"usage/completions?start_time={org.since - 60 * DAY}")["data"]) == 7


def test_costs_are_what_was_charged_to_the_nano_dollar(org: Organization) -> None:
    whole = org.results(f"costs?start_time={org.since}")
    assert sum(one["amount"]["value"] for one in whole) == org.spent
    for result in whole:
        assert result["object"] == "organization.costs.result"
        assert (result["amount"]["currency"], result["line_item"], result["project_id"]) == ("usd", None, None)
    for query in ("group_by=line_item", "group_by[]=project_id", "group_by=line_item&group_by=project_id"):
        parts = org.results(f"costs?start_time={org.since}&{query}")
        assert sum(one["amount"]["value"] for one in parts) == org.spent
        assert all((one["line_item"] is not None) == ("line_item" in query) for one in parts)
        assert all((one["project_id"] is not None) == ("project_id" in query) for one in parts)
    items = {one["line_item"] for one in org.results(f"costs?start_time={org.since}&group_by=line_item")}
    assert items == {"gpt-4o", "gpt-4.1", "text-embedding-3-small"}
    second = org.results(f"costs?start_time={org.since}&project_ids[]={org.second}")
    assert 0 < sum(one["amount"]["value"] for one in second) < org.spent


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("", "start_time"),
        ("?start_time=now", "start_time"),
        ("?start_time=-1", "start_time"),
        ("?start_time=9999999999999", "start_time"),
        ("?start_time=100&end_time=100", "end_time"),
        ("?start_time=0&bucket_width=1m", "start_time"),
        ("?start_time=0&bucket_width=1m&limit=1441", "limit"),
        ("?start_time=0&bucket_width=1w", "bucket_width"),
        ("?start_time=0&limit=0", "limit"),
        ("?start_time=0&limit=32", "limit"),
        ("?start_time=0&limit=169&bucket_width=1h", "limit"),
        ("?start_time=0&group_by=colour", "group_by"),
        ("?start_time=0&sizes=256x256", "sizes"),
        ("?start_time=0&group_by=size", "group_by"),
        ("?start_time=0&page=7", "page"),
        ("?start_time=0&page=page_7", "page"),
        ("?start_time=86400&page=page_0", "page"),
        ("?start_time=0&start_time=1", "start_time"),
    ],
)
def test_what_cannot_be_asked_is_a_400_that_names_it(org: Organization, query: str, param: str) -> None:
    reply = org.platform.get(f"/v1/organization/usage/completions{query}", org.admin)
    assert reply.verdict == (400, "invalid_request_error")
    assert reply.error["param"] == param


def test_minutes_are_those_of_the_last_day(org: Organization) -> None:
    reply = org.platform.get("/v1/organization/usage/completions?start_time=0&bucket_width=1m", org.admin)
    assert "last 24 hours" in reply.error["message"]
    start = org.since + 3 * DAY - 120
    by_minute = org.results(f"usage/completions?start_time={start}&bucket_width=1m&group_by=model&group_by=api_key_id")
    by_day = org.results(f"usage/completions?start_time={start}&bucket_width=1d&group_by=model&group_by=api_key_id")
    for name in FIGURES:
        assert summed(by_minute, name) == summed(by_day, name) > 0
    assert {(one["model"], one["api_key_id"]) for one in by_minute} == {
        (one["model"], one["api_key_id"]) for one in by_day
    }
    one_key = org.results(f"usage/completions?start_time={start}&bucket_width=1m&api_key_ids={org.two_id}")
    assert 0 < summed(one_key, "input_tokens") < summed(by_minute, "input_tokens")
    assert org.results(f"usage/images?start_time={start}&bucket_width=1m") == []
    assert org.platform.get("/v1/organization/costs?start_time=0&bucket_width=1h", org.admin).status == 400


def test_a_start_in_the_future_is_an_empty_page(org: Organization) -> None:
    told = org.ask(f"costs?start_time={org.since + 90 * DAY}")
    assert (told["data"], told["has_more"]) == ([], False)


def test_it_is_for_the_admin_key_of_the_account_only(org: Organization) -> None:
    platform = org.platform
    path = f"/v1/organization/costs?start_time={org.since}"
    assert platform.get(path, platform.facts["api_key"]).verdict == (403, "scope_missing")
    assert platform.get(path).verdict == (401, "invalid_api_key")
    other = platform.get(path, platform.key("org-none", account="demo", mode="admin"))
    assert org.two_id.encode() not in other.body
