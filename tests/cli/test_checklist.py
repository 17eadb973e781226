"""`check` against services of all kinds, over a real socket: each step says what is wrong and what to do."""

from typing import Any

import pytest

from tests.cli.fake_service import KEY, FakeService, error, honest
from tollhouse.access import secrets
from tollhouse.cli.checklist import BadBaseUrl, CheckInput, Diagnosis, diagnose
from tollhouse.cli.service import base_urls


def states(diagnosis: Diagnosis) -> list[str]:
    assert [step.id for step in diagnosis.steps] == ["api_key", "request_format", "model", "rate_limits", "error_body"]
    assert diagnosis.ok == ("red" not in {step.state for step in diagnosis.steps})
    for step in diagnosis.steps:
        assert KEY not in step.reason
        assert step.state != "red" or (step.reason and step.cure)
    return [step.state for step in diagnosis.steps[:3]]


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_a_good_service_is_green_however_its_base_url_is_written(service: FakeService, tail: str) -> None:
    diagnosis = diagnose(service.url + tail, f" {KEY}\n", None)
    assert states(diagnosis) == ["green", "green", "green"]
    assert [step.state for step in diagnosis.steps[3:]] == ["green", "not_run"]
    assert service.asked == [("GET", "/v1/models"), ("POST", "/v1/chat/completions")]
    assert "toll-1" in diagnosis.steps[2].reason


def test_a_format_that_a_service_lacks_is_told_and_one_that_it_refuses_is_red(service: FakeService) -> None:
    answers: dict[str, tuple[int, Any]] = {}

    def script(method: str, path: str, body: Any, authorization: str) -> tuple[int, Any]:
        other = path == "/v1/messages" or path.startswith("/v1beta/")
        missing = (404, error("not_found", "no such path"))
        return answers.get(path, missing) if other else honest(method, path, body, authorization)

    service.script = script
    diagnosis = diagnose(service.url, KEY, None, CheckInput(every_format=True))
    assert states(diagnosis) == ["green", "green", "green"]
    assert "Anthropic and Gemini is not offered" in diagnosis.steps[1].reason
    answers["/v1/messages"] = (500, error("server_error", f"no luck with {KEY}"))
    diagnosis = diagnose(service.url, KEY, None, CheckInput(every_format=True))
    assert states(diagnosis) == ["green", "red", "green"]
    assert "in the format of Anthropic: no luck with [key]" in diagnosis.steps[1].reason


def test_a_service_whose_paths_have_no_version(service: FakeService) -> None:
    service.script = lambda method, path, body, auth: (
        (404, "nothing") if path.startswith("/v1/") else honest(method, "/v1" + path, body, auth)
    )
    assert states(diagnose(service.url, KEY, None)) == ["green", "green", "green"]


def test_a_wrong_key_is_red_and_never_shown(service: FakeService) -> None:
    diagnosis = diagnose(service.url, "sk-wrong", None)
    assert states(diagnosis) == ["red", "not_run", "not_run"]
    first = diagnosis.steps[0]
    assert (first.code, first.request_id) == ("invalid_api_key", "req_1")
    assert "sk-wrong" not in first.reason


def test_a_key_refused_only_by_the_call_itself(service: FakeService) -> None:
    service.script = lambda method, path, body, auth: honest(
        method, path, body, f"Bearer {KEY}" if method == "GET" else ""
    )
    assert states(diagnose(service.url, KEY, None)) == ["red", "not_run", "not_run"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "empty"),
        ('"sk-good"', "quotes"),
        ("Bearer sk-good", "Bearer"),
        ("sk-go od", "U+0020"),
        ("sk-goöd", "U+00F6"),
        (secrets.mint("live", bytes(32))[:-1], "damaged"),
    ],
)
def test_a_key_that_cannot_be_one_is_red_before_anything_is_sent(service: FakeService, key: str, words: str) -> None:
    diagnosis = diagnose(service.url, key, None)
    assert states(diagnosis) == ["red", "not_run", "not_run"]
    assert words in diagnosis.steps[0].reason
    assert not service.asked


def test_an_unknown_model_is_red_with_the_nearest_name(service: FakeService) -> None:
    diagnosis = diagnose(service.url, KEY, "Toll-1")
    assert states(diagnosis) == ["green", "green", "red"]
    assert diagnosis.steps[2].code == "model_not_found"
    assert "'toll-1'" in diagnosis.steps[2].cure


def test_a_refused_format_is_red_with_the_services_words(service: FakeService) -> None:
    def picky(method: str, path: str, body: dict[str, Any], auth: str) -> tuple[int, Any]:
        return (400, error("invalid_request_error", "messages is odd")) if body else honest(method, path, body, auth)

    service.script = picky
    diagnosis = diagnose(service.url, KEY, None)
    assert states(diagnosis) == ["green", "red", "green"]
    assert diagnosis.steps[1].reason == "messages is odd"


def test_newer_models_get_their_cap_under_its_newer_name(service: FakeService) -> None:
    def newer(method: str, path: str, body: dict[str, Any], auth: str) -> tuple[int, Any]:
        if "max_tokens" in body:
            return 400, error("unsupported_parameter", "use max_completion_tokens", "max_tokens")
        return honest(method, path, body, auth)

    service.script = newer
    assert states(diagnose(service.url, KEY, None)) == ["green", "green", "green"]


def test_a_redirect_is_red_and_not_followed(service: FakeService) -> None:
    service.script = lambda method, path, body, auth: (
        (301, "") if method == "POST" else honest(method, path, body, auth)
    )
    diagnosis = diagnose(service.url, KEY, None)
    assert states(diagnosis)[:2] == ["green", "red"]
    assert ("GET", "/elsewhere") not in service.asked


@pytest.mark.parametrize("reply", ["<html>Welcome</html>", {"choices": None}])
def test_an_address_that_is_no_such_service_is_red(service: FakeService, reply: Any) -> None:
    service.script = lambda method, path, body, auth: (
        (200, reply) if method == "POST" or isinstance(reply, str) else (honest(method, path, body, auth))
    )
    assert "red" in states(diagnose(service.url, KEY, None))


@pytest.mark.parametrize("status", [429, 403])
def test_limits_are_not_blamed_on_the_first_three_steps(service: FakeService, status: int) -> None:
    service.script = lambda method, path, body, auth: (
        (status, error("insufficient_quota", "used up")) if method == "POST" else honest(method, path, body, auth)
    )
    diagnosis = diagnose(service.url, KEY, None)
    assert states(diagnosis) == ["green", "green", "green"]
    assert diagnosis.steps[3].state == ("red" if status == 429 else "not_run")


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("insufficient_quota", "add money, or have the budget that the message names raised"),
        ("rate_limit_exceeded", "have the limit that the message names raised, or send less"),
    ],
)
def test_a_call_that_a_limit_refuses_is_red_with_the_services_words(service: FakeService, code: str, cure: str) -> None:
    service.script = lambda method, path, body, auth: (
        (429, error(code, f"used up by {KEY}")) if method == "POST" else honest(method, path, body, auth)
    )
    diagnosis = diagnose(service.url, KEY, None)
    assert states(diagnosis) == ["green", "green", "green"]
    limits = diagnosis.steps[3]
    assert (limits.state, limits.code, limits.reason) == ("red", code, "used up by [key]")
    assert limits.cure.startswith(cure)
    assert not diagnosis.ok


def test_a_failing_service_is_not_judged(service: FakeService) -> None:
    service.script = lambda method, path, body, auth: (503, error("overloaded", "busy"))
    assert states(diagnose(service.url, KEY, "toll-1")) == ["not_run", "not_run", "not_run"]


def test_nobody_listens() -> None:
    diagnosis = diagnose("http://127.0.0.1:9", KEY, None)
    assert states(diagnosis) == ["red", "not_run", "not_run"]
    assert "refused" in diagnosis.steps[0].reason


@pytest.mark.parametrize(
    "text", ["", "toll.example", "ftp://h/v1", "http://", "http://u:p@h/v1", "http://h:99999/v1", "file:///x"]
)
def test_a_base_url_that_is_none(text: str) -> None:
    with pytest.raises(BadBaseUrl):
        diagnose(text, KEY, None)


def test_base_urls_keep_a_prefix() -> None:
    assert base_urls("https://h/x/v1/?a=1#b") == ("https://h/x/v1",)
    assert base_urls("https://h/api/openai") == ("https://h/api/openai",)
    assert base_urls("https://h/api/") == ("https://h/api/v1", "https://h/api")
