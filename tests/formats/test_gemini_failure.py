"""Failures as Google writes them: what clients look for stands in `details`."""

import json
from typing import Any

import pytest

from tollhouse.core.failure import BadRequest, Failure, RateLimited, UpstreamBroke
from tollhouse.core.links import Links
from tollhouse.formats.gemini.failure import body


def details(failure: Failure) -> dict[str, Any]:
    error = json.loads(body(failure, "req_1"))["error"]
    assert list(error) == ["code", "message", "status", "details"]
    return {one.pop("@type").rpartition(".")[2]: one for one in error["details"]}


def test_our_own_code_stands_first() -> None:
    assert details(UpstreamBroke("It broke.")) == {
        "ErrorInfo": {"reason": "upstream_error", "domain": "tollhouse", "metadata": {"request_id": "req_1"}}
    }


def test_the_member_to_blame_is_named() -> None:
    told = details(BadRequest("'topK' must be a number.", param="generationConfig.topK"))
    violation = {"field": "generationConfig.topK", "description": "'topK' must be a number."}
    assert told["BadRequest"] == {"fieldViolations": [violation]}


@pytest.mark.parametrize(("milliseconds", "delay"), [(3_000, "3s"), (250, "0.250s"), (61_007, "61.007s"), (0, "0s")])
def test_how_long_to_wait_is_a_duration(milliseconds: int, delay: str) -> None:
    assert details(RateLimited("Slower.", retry_after_ms=milliseconds))["RetryInfo"] == {"retryDelay": delay}


def test_a_page_about_it_is_linked() -> None:
    failure = RateLimited("Slower.")
    failure.links = Links("https://tolls.example/docs/errors/rate_limit_exceeded")
    link = {"description": "rate_limit_exceeded", "url": "https://tolls.example/docs/errors/rate_limit_exceeded"}
    assert details(failure)["Help"] == {"links": [link]}
