"""What limits a caller, as he meets it over HTTP: headers, words, what `/v1/key` shows, and money that is not there."""

import asyncio
import datetime
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.platform_process import PlatformProcess, PlatformReply, chat
from tests.support.scripted_provider import LAST, ScriptedProvider, answers, refuses, said, streams, word

MORE = """
[support]
channels = [{ kind = "email", value = "ops@toll.example" }]
"""


@pytest.fixture(autouse=True)
def answered(provider: ScriptedProvider) -> None:
    provider.plays("up-house", answers(said("hello")))


class LimitedCaller:
    """A key of its own with limits of its own."""

    def __init__(self, platform: PlatformProcess, name: str, **limits: Any) -> None:
        self.platform, self.name = platform, name
        made = platform.manage("POST", "/keys", {"name": name, "account": "demo"})
        self.id, self.secret = made["id"], made["secret"]
        if limits:
            self.limit(**limits)

    def limit(self, **limits: Any) -> list[Any]:
        return list(self.platform.manage("POST", "/limits", {"key": self.name, **limits})["data"])

    def ask(self, **members: Any) -> PlatformReply:
        return self.platform.ask(chat(**members), key=self.secret)

    def standing(self) -> dict[str, tuple[int, int]]:
        """What `/v1/key` shows of the key's own limits: used and remaining."""
        whoami = self.platform.ask(method="GET", path="/v1/key", key=self.secret).json
        return {one["name"]: (one["used"], one["remaining"]) for one in whoami["limits"] if one["level"] == "key"}


def test_answers_count_down_and_a_refusal_says_which_limit_and_when_to_come_again(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    caller = LimitedCaller(platform, "counted", requests_per_minute=2)
    remaining = [caller.ask().headers["x-ratelimit-remaining-requests"] for _ in range(2)]
    assert remaining == ["1", "0"]
    seen = len(provider.turns)
    for refused in (caller.ask(), before_its_body(platform, caller.secret)):
        assert_told(refused, caller)
    assert len(provider.turns) == seen, "it reached no provider"


def before_its_body(platform: PlatformProcess, secret: str) -> PlatformReply:
    """A call whose head is there, and whose body never comes."""
    connection = platform.connect()
    try:
        connection.putrequest("POST", "/v1/chat/completions")
        for name, value in {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", "100")
        connection.endheaders()
        answer = connection.getresponse()
        return PlatformReply(answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def assert_told(refused: PlatformReply, caller: LimitedCaller) -> None:
    assert (refused.status, refused.code) == (429, "rate_limit_exceeded")
    message = refused.json["error"]["message"]
    for said_ in ("2 requests per minute", f"key {caller.id}", "2 used", "room again in", "ops@toll.example"):
        assert said_ in message
    assert refused.json["error"]["type"] == "rate_limit_error"
    assert refused.headers["x-ratelimit-limit-requests"] == "2"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert 0 < int(refused.headers["retry-after-ms"]) <= 30_000
    assert int(refused.headers["retry-after"]) == -(-int(refused.headers["retry-after-ms"]) // 1000)
    record = caller.platform.record(refused.id)
    assert (record.ending, record.charge, record.error) == ("refused", None, "rate_limit_exceeded")
    assert caller.standing()["requests_per_minute"] == (2, 0)


def test_a_limit_that_is_raised_frees_the_difference_with_the_next_call_and_lowered_binds_with_it(
    platform: PlatformProcess,
) -> None:
    caller = LimitedCaller(platform, "changed", requests_per_minute=1)
    assert [caller.ask().status for _ in range(2)] == [200, 429]
    (raised,) = caller.limit(requests_per_minute=3, until="1h", note="launch week")
    assert [caller.ask().status for _ in range(3)] == [200, 200, 429]
    (shown, covered) = platform.manage("GET", f"/limits?key={caller.id}")["data"]
    assert (shown["limit"], shown["note"], shown["until"] is None, shown["holds"]) == (3, "launch week", False, True)
    assert (covered["limit"], covered["holds"]) == (1, False)
    platform.manage("POST", f"/limits/{raised['id']}/remove", {})
    assert caller.ask().status == 429
    caller.limit(requests_per_minute=0)
    refused = caller.ask()
    assert (refused.status, refused.headers["x-should-retry"]) == (429, "false")


def test_tokens_are_reserved_and_corrected_when_the_answer_is_over(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    caller = LimitedCaller(platform, "tokens", tokens_per_minute=600)
    assert caller.ask(max_tokens=400).status == 200
    used, remaining = caller.standing()["tokens_per_minute"]
    assert 0 < used <= 72, "60 in and 12 out, less the ten a second that have flowed off since"
    assert used + remaining == 600
    provider.plays("up-house", refuses(400))
    assert caller.ask(max_tokens=400).status == 400
    assert caller.standing()["tokens_per_minute"][0] <= 72


def test_while_a_call_is_in_flight_what_it_reserved_is_taken(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    caller = LimitedCaller(platform, "in flight", tokens_per_minute=6_000, parallel_requests=1)
    door = asyncio.Event()
    provider.plays("up-house", streams([word("one "), door, LAST]))
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(caller.ask, stream=True, max_tokens=5_900)
        provider.seen()
        assert caller.standing()["parallel_requests"] == (1, 0)
        assert caller.standing()["tokens_per_minute"][0] > 5_000
        refused = caller.ask()
        assert (refused.status, "1 parallel requests" in refused.json["error"]["message"]) == (429, True)
        provider.signal(door)
        assert call.result().status == 200
    assert caller.standing()["parallel_requests"] == (0, 1)


def test_a_call_larger_than_the_whole_limit_is_told_not_to_come_again(platform: PlatformProcess) -> None:
    refused = LimitedCaller(platform, "small", tokens_per_minute=100).ask(max_tokens=200)
    assert (refused.status, refused.headers["x-should-retry"]) == (429, "false")
    assert "more than the whole limit" in refused.json["error"]["message"]


def test_of_many_at_once_exactly_as_many_are_in_flight_as_the_limit_says(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    caller = LimitedCaller(platform, "many", parallel_requests=5)
    door, refusals = asyncio.Event(), threading.Semaphore(0)
    provider.plays("up-house", streams([word("one "), door, LAST]))

    def one() -> int:
        status = caller.ask(stream=True).status
        if status == 429:
            refusals.release()
        return status

    with ThreadPoolExecutor(40) as pool:
        calls = [pool.submit(one) for _ in range(40)]
        for _ in range(35):
            assert refusals.acquire(timeout=20)
        provider.signal(door)
        statuses = [call.result() for call in calls]
    assert sorted(statuses) == [200] * 5 + [429] * 35
    assert len(provider.turns) == 5


def test_a_model_has_its_own_limit_whoever_calls(platform: PlatformProcess) -> None:
    (limit,) = platform.manage("POST", "/limits", {"model": "house-1", "requests_per_minute": 1})["data"]
    try:
        first, second = LimitedCaller(platform, "first"), LimitedCaller(platform, "second")
        assert first.ask().status == 200
        refused = second.ask()
        assert (refused.status, "model house-1" in refused.json["error"]["message"]) == (429, True)
    finally:
        platform.manage("POST", f"/limits/{limit['id']}/remove", {})
    assert second.ask().status == 200


def test_a_budget_of_0_refuses_everything_and_says_so(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    caller = LimitedCaller(platform, "nothing")
    budget = platform.manage("POST", "/budgets", {"key": caller.id, "window": "day", "amount_usd": "0"})
    refused = caller.ask(max_tokens=1)
    assert (refused.status, refused.code, refused.headers["x-should-retry"]) == (429, "insufficient_quota", "false")
    assert "budget of 0 USD" in refused.json["error"]["message"]
    assert provider.turns == []
    platform.manage("POST", f"/budgets/{budget['id']}/remove", {})
    assert caller.ask(max_tokens=1).status == 200


def test_the_operators_monthly_budget_holds_whatever_the_owner_sets(platform: PlatformProcess) -> None:
    account = platform.manage("POST", "/accounts", {"name": "capped", "credit_limit_usd": "unlimited"})["id"]
    admin = platform.manage("POST", "/keys", {"name": "capped-admin", "account": account, "mode": "admin"})["secret"]
    live = platform.manage("POST", "/keys", {"name": "capped-live", "account": account})["secret"]
    ceiling = {"account": account, "window": "month", "amount_usd": "0"}
    budget = platform.manage("POST", "/budgets", {**ceiling, "system": True})
    for path, body, status in (
        ("/api/v1/budgets", {**ceiling, "amount_usd": "1000"}, 400),
        ("/api/v1/budgets", {**ceiling, "window": "total", "amount_usd": "1000"}, 201),
        ("/api/v1/budgets", {**ceiling, "amount_usd": "1000", "system": True}, 403),
        (f"/api/v1/budgets/{budget['id']}/remove", {}, 403),
    ):
        assert platform.ask(body, path, key=admin).status == status
    refused = platform.ask(chat(), key=live)
    assert (refused.status, refused.code) == (429, "insufficient_quota")
    assert "that the operator set" in refused.json["error"]["message"]


def test_a_flood_from_an_address_is_refused_before_its_keys_are_looked_at(
    start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLLHOUSE_REQUESTS_PER_MINUTE_PER_ADDRESS", "4")
    monkeypatch.setenv("TOLLHOUSE_TRUSTED_PROXIES", "127.0.0.1/32")
    platform = start()
    guessing, other = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "203.0.113.10"}
    for path, body in (
        ("/v1/chat/completions", chat()),
        ("/v1/models", None),
        ("/v1/models", None),
        ("/api/v1/keys", None),
    ):
        method = "GET" if body is None else "POST"
        refused = platform.ask(body, path, method=method, key="sk-guess", headers=guessing)
        assert refused.status == 401
    for path, headers in (
        ("/v1/chat/completions", {}),
        ("/v1/models", {"anthropic-version": "1"}),
        ("/api/v1/keys", {}),
    ):
        body, method = (chat(), "POST") if "chat" in path else (None, "GET")
        refused = platform.ask(body, path, method=method, headers={**guessing, **headers})
        assert refused.status == 429
        assert "address 203.0.113.9" in refused.json["error"]["message"]
        assert "retry-after" in refused.headers
        assert ("type" in refused.json) == bool(headers), "in the caller's own dialect"
    assert platform.ask(chat(), headers=other).status == 200
    assert platform.ask(method="GET", path="/healthz", key="", headers=guessing).status == 200
    assert platform.ask(method="GET", path="/v1/key", headers=guessing).status == 200, "whoever is stopped may see why"


def test_a_grant_that_ended_while_nobody_was_there_ends_at_the_start(start: Start) -> None:
    platform = start()
    given = platform.manage("POST", "/credits", {"account": "demo", "amount_usd": "7", "expires": "1s"})
    ends = datetime.datetime.fromisoformat(given["expires_at"])
    platform.stop()
    while datetime.datetime.now(datetime.UTC) < ends:
        pass
    platform.again()
    (newest, *_) = platform.manage("GET", "/credits?account=demo")["data"]
    assert (newest["kind"], newest["amount_usd"]) == ("expiry", "-7")
    assert platform.tollhouse("ledger", "verify")["ok"] is True


def test_a_code_is_in_no_log(start: Start) -> None:
    platform = start()
    (code,) = platform.manage("POST", "/codes", {"amount_usd": "1"})["data"]
    admin = platform.facts["admin_key"]
    redeemed = platform.ask({"code": code["secret"]}, "/api/v1/codes/redeem", key=admin)
    assert redeemed.status == 200
    assert platform.ask({"code": code["secret"]}, "/api/v1/codes/redeem", key=admin).status == 400
    assert code["secret"] not in json.dumps(platform.log)
    for file in platform.folder.iterdir():
        if file.is_file() and file.suffix != ".env":
            assert code["secret"].encode() not in file.read_bytes()
