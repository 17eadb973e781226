"""`POST /api/v1/support/diagnose`: for anybody, bounded, and silent of keys that the caller does not hold."""

import json
from typing import Any

import pytest

from tests.admin.harness import AdminHarness
from tollhouse.services.context import DIAGNOSES_PER_MINUTE

PATH = "/api/v1/support/diagnose"
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def steps(reply: Any) -> dict[str, Any]:
    assert reply.status == 200, reply.body
    assert reply.body["object"] == "diagnosis"
    return {step["id"]: step for step in reply.body["steps"]}


def test_of_nothing_it_runs_nothing(admin_harness: AdminHarness) -> None:
    reply = admin_harness.ask("POST", PATH, {})
    assert {step["state"] for step in steps(reply).values()} == {"not_run"}
    assert reply.body["ok"] is True


def test_headers_and_body_are_objects_or_texts(admin_harness: AdminHarness) -> None:
    key = admin_harness.secrets["alpha-test"]
    for headers, body in (
        ({"Authorization": f"Bearer {key}", "Content-Type": "application/json"}, CHAT),
        (f"authorization: Bearer {key}\r\ncontent-type: application/json", json.dumps(CHAT)),
        (f"-H 'Authorization: Bearer {key}' \\\n -H \"Content-Type: application/json\" \\", CHAT),
    ):  # fmt: skip
        found = admin_harness.ask("POST", PATH, {"headers": headers, "body": body, "endpoint": "/v1/chat/completions"})
        states = {name: step["state"] for name, step in steps(found).items()}
        assert (states["api_key"], states["request_format"]) == ("green", "green")
        assert key not in str(found.body)
        assert [one["field"] for one in found.body["exposed"]] == ["headers"]


def test_it_tells_of_a_key_to_who_has_all_of_it(admin_harness: AdminHarness) -> None:
    whole = admin_harness.secrets["alpha-live"]
    assert steps(admin_harness.ask("POST", PATH, {"api_key": whole}))["api_key"]["state"] == "green"
    for part in (whole[:-1], whole[:-6] + "000000", admin_harness.keys["alpha-live"], "alpha-live"):
        found = steps(admin_harness.ask("POST", PATH, {"api_key": part}))
        assert found["api_key"]["state"] == "red"
        assert found["rate_limits"]["state"] == "not_run"
        assert "alpha" not in str(found)


def test_an_address_asks_forty_times_a_minute(admin_harness: AdminHarness) -> None:
    for _ in range(DIAGNOSES_PER_MINUTE):
        assert admin_harness.ask("POST", PATH, {}).status == 200
    refused = admin_harness.ask("POST", PATH, {})
    assert (refused.status, refused.code) == (429, "rate_limit_exceeded")
    assert int(refused.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    "given",
    [
        {"api_key": 1},
        {"headers": {"a": 1}},
        {"headers": [1]},
        {"model": ["m"]},
        {"api_key": "x" * 4_097},
        {"error": "x" * 64_001},
        {"body": "x" * 200_001},
        {"url": "https://toll.example"},
    ],
)
def test_what_cannot_be_looked_at_is_a_400(admin_harness: AdminHarness, given: dict[str, Any]) -> None:
    reply = admin_harness.ask("POST", PATH, given)
    assert reply.status == 400
    assert reply.body["error"]["param"] == next(iter(given))
