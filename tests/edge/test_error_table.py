"""The error table of the contract, row by row, over the wire: a test key and `x-tollhouse-simulate: error=<code>`."""

import json

import pytest

from tests.security import endpoints
from tests.security.platform_process import JSON, DemoPlatform, DemoReply, bearer
from tollhouse.core.failure import every_failure

BAD, AGAIN = "invalid_request_error", "retry-after"
TABLE: dict[str, tuple[int, str]] = {
    "invalid_api_key": (401, BAD),
    "model_not_allowed": (403, "permission_error"),
    "ip_not_allowed": (403, "permission_error"),
    "account_suspended": (403, "permission_error"),
    "key_frozen": (403, "permission_error"),
    "scope_missing": (403, "permission_error"),
    "invalid_request_error": (400, BAD),
    "context_length_exceeded": (400, BAD),
    "unsupported_parameter": (400, BAD),
    "max_cost_exceeded": (400, BAD),
    "content_policy_violation": (400, BAD),
    "model_not_found": (404, BAD),
    "not_found": (404, BAD),
    "method_not_allowed": (405, BAD),
    "upgrade_required": (426, BAD),
    "request_too_large": (413, BAD),
    "headers_too_large": (431, BAD),
    "request_timeout": (408, BAD),
    "rate_limit_exceeded": (429, "rate_limit_error"),
    "insufficient_quota": (429, "insufficient_quota"),
    "model_not_priced": (503, "server_error"),
    "upstream_error": (502, "server_error"),
    "upstream_timeout": (504, "server_error"),
    "overloaded": (503, "server_error"),
    "server_error": (500, "server_error"),
}
WAITS = {"rate_limit_exceeded", "model_not_priced", "overloaded"}
NEVER_AGAIN = {"insufficient_quota", "model_not_priced"}


def test_every_code_of_the_tree_is_in_the_table() -> None:
    """Two codes are no row: `conflict` is the control API's, `not_permitted` only the parent of its row."""
    assert {kind.code for kind in every_failure()} - {"conflict", "not_permitted"} == set(TABLE)


@pytest.mark.parametrize("code", TABLE)
@pytest.mark.parametrize("by", ["header", "model"])
def test_every_code_can_be_reproduced_without_spending(platform: DemoPlatform, code: str, by: str) -> None:
    status, kind = TABLE[code]
    key = platform.facts["test_key"]
    for endpoint in endpoints.calls():
        body = json.loads(endpoint.body or b"")
        headers = {**JSON, **bearer(key)}
        if by == "header":
            headers["x-tollhouse-simulate"] = f"error={code}"
        else:
            body["model"] = f"simulate/error={code}"
        for stream in (False, True):
            reply = platform.ask("POST", endpoint.path, headers, json.dumps({**body, "stream": stream}).encode())
            if endpoint.dialect == "anthropic":
                _expect_of_anthropic(reply, code)
            else:
                assert reply.status == status
                assert set(reply.json) == {"error"}
                assert {"message", "type", "param", "code"} <= set(reply.error)
                assert (reply.error["type"], reply.error["code"]) == (kind, code)
            assert (AGAIN in reply.headers) == (code in WAITS)
            assert ("retry-after-ms" in reply.headers) == (code in WAITS)
            assert (reply.headers.get("x-should-retry") == "false") == (code in NEVER_AGAIN)
            assert ("allow" in reply.headers) == (status == 405)
            assert ("upgrade" in reply.headers) == (status == 426)


def _expect_of_anthropic(reply: DemoReply, code: str) -> None:
    """A failure in the dialect that has types where the others have codes, and two statuses of its own."""
    kind = next(one for one in every_failure() if one.code == code)
    assert reply.status == (kind.anthropic_status or kind.status)
    assert set(reply.json) == {"type", "error", "request_id"}
    assert reply.json["type"] == "error"
    assert set(reply.error) == {"type", "message"}
    assert reply.error["type"] == kind.anthropic_type


def test_a_live_key_ignores_the_header_and_knows_no_scripts(platform: DemoPlatform) -> None:
    key = platform.facts["api_key"]
    for endpoint in endpoints.calls():
        headers = {**JSON, **bearer(key), "x-tollhouse-simulate": "error=overloaded"}
        assert platform.ask("POST", endpoint.path, headers, endpoint.body).status == 200
        body = json.dumps({**json.loads(endpoint.body or b""), "model": "simulate/error=overloaded"}).encode()
        assert platform.ask("POST", endpoint.path, headers, body).verdict == (404, "model_not_found")


def test_a_test_key_is_answered_for_every_model_it_sees_and_for_no_other(platform: DemoPlatform) -> None:
    key = platform.facts["test_key"]
    listed = platform.get("/v1/models", key).json["data"]
    assert listed == platform.get("/v1/models", platform.facts["api_key"]).json["data"]
    for model in listed:
        bodies = [
            (endpoint.path, {**json.loads(endpoint.body or b""), "model": model["id"]})
            for endpoint in endpoints.calls()
        ]
        answers = [platform.post(path, key, body) for path, body in bodies]
        assert {answer.status for answer in answers} <= {200, 400}  # 400: the model is not for this operation
        assert any(answer.status == 200 for answer in answers)
    narrow = platform.key("narrow-test", mode="test", models=["gpt-4.1"])
    body = json.loads(endpoints.calls()[0].body or b"")
    assert platform.post(endpoints.calls()[0].path, narrow, body).verdict == (403, "model_not_allowed")


def test_a_fault_strikes_as_often_as_it_is_asked_to_for_each_key_by_itself(platform: DemoPlatform) -> None:
    keys = [platform.key(f"struck-{number}", mode="test") for number in (1, 2)]
    body = {**json.loads(endpoints.calls()[0].body or b""), "model": "simulate/error=overloaded,times=2"}
    seen = [platform.post("/v1/chat/completions", key, body).status for _ in range(6) for key in keys]
    assert seen[::2] == seen[1::2] == [503, 503, 200, 503, 503, 200]


def test_a_script_that_is_none_says_what_would_be_one(platform: DemoPlatform) -> None:
    body = json.loads(endpoints.calls()[0].body or b"")
    reply = platform.post(
        "/v1/chat/completions", platform.facts["test_key"], body, {"x-tollhouse-simulate": "error=overladen"}
    )
    assert reply.verdict == (400, "invalid_request_error")
    assert "overloaded" in reply.error["message"]
