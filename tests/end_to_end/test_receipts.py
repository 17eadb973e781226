"""A customer reads his receipt with his own key; an operator reads, follows and explains calls from the shell."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.platform_process import WAIT_SECONDS_MAX, PlatformProcess, PlatformReply, chat, events
from tests.support.scripted_provider import LAST, ScriptedProvider, answers, said, streams, word

ANSWER = said("hello")
STREAM = (word("hel"), word("lo"), LAST)


@pytest.fixture(autouse=True)
def answered(provider: ScriptedProvider) -> None:
    provider.plays("up-house", answers(ANSWER))


def typed(platform: PlatformProcess, *words: str, stdin: bytes = b"") -> str:
    """What a command prints for people."""
    command = [sys.executable, "-m", "tollhouse", *words, "--dir", str(platform.folder)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=True, timeout=WAIT_SECONDS_MAX)
    return done.stdout.decode()


def receipt(platform: PlatformProcess, request_id: str) -> PlatformReply:
    return platform.ask(method="GET", path=f"/api/v1/requests/{request_id}")


def test_the_own_key_reads_the_receipt_as_soon_as_the_answer_is_there(platform: PlatformProcess) -> None:
    reply = platform.ask(chat(max_tokens=30), headers={"x-tollhouse-tags": "team=red"})
    read = receipt(platform, reply.id)
    assert (read.status, read.json["id"]) == (200, reply.id)
    assert read.json["charge_usd"] == reply.headers["x-tollhouse-charge-usd"]
    assert sum(line["charge_nusd"] for line in read.json["lines"]) == read.json["charge_nusd"] > 0
    assert read.json["tags"] == {"team": "red"}
    times = read.json["timing_ms"]
    assert times["admitted"] <= times["first_byte"] <= times["last_byte"] <= times["settled"]
    stranger = platform.manage("POST", "/accounts", {"name": "stranger"})["id"]
    other = platform.manage("POST", "/keys", {"name": "other", "account": stranger})["secret"]
    assert platform.ask(method="GET", path=f"/api/v1/requests/{reply.id}", key=other).status == 404


def test_the_usage_chunk_of_a_stream_says_what_its_receipt_says(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    provider.plays("up-house", streams(STREAM))
    reply = platform.ask(chat(stream=True, max_tokens=30, stream_options={"include_usage": True}))
    told = next(one["tollhouse"] for one in events(reply.body) if one != "[DONE]" and "tollhouse" in one)
    assert told["request_id"] == reply.id
    read = receipt(platform, told["request_id"]).json
    assert (read["charge_usd"], read["stream"], read["ending"]) == (told["charge_usd"], True, "finished")


def test_a_receipt_on_the_terminal_shows_lines_limits_and_counters(platform: PlatformProcess) -> None:
    reply = platform.ask(chat(max_tokens=30))
    shown = typed(platform, "requests", "show", reply.id)
    for words in (reply.id, "finished", "Charge lines", "up-house", "Counters it was held on", "txn_"):
        assert words in shown
    told = platform.tollhouse("requests", "show", reply.id)
    assert told["attempts"][0]["provider"] == "up"
    assert reply.id in typed(platform, "requests", "list", "--status", "2xx", "--since", "1h")


def test_calls_are_followed_a_line_each_while_they_end(platform: PlatformProcess) -> None:
    command = [sys.executable, "-m", "tollhouse", "requests", "tail", "--json", "--lines", "1", "--count", "4"]
    begun = platform.ask(chat(max_tokens=30))
    with subprocess.Popen([*command, "--dir", str(platform.folder)], stdout=subprocess.PIPE) as following:
        assert following.stdout is not None
        seen = [json.loads(following.stdout.readline())["id"]]  # it follows from here on
        asked = [platform.ask(chat(max_tokens=30)).id for _ in range(3)]
        seen += [json.loads(line)["id"] for line in following.stdout]
        assert following.wait(WAIT_SECONDS_MAX) == 0
    assert seen == [begun.id, *asked]


@pytest.fixture
def caller(platform: PlatformProcess) -> Any:
    return platform.manage("POST", "/keys", {"name": "explained", "account": "demo"})


def test_explain_tells_what_the_call_then_meets(platform: PlatformProcess, caller: Any, tmp_path: Path) -> None:
    body = json.dumps(chat(max_tokens=30), indent=1).encode()
    (tmp_path / "body.json").write_bytes(body)
    words = ("explain", "--body", str(tmp_path / "body.json"), "--key", caller["id"])
    told = platform.tollhouse(*words)
    assert told["verdict"] == {"admitted": True}
    assert told["bounds"]["input_tokens"] == len(body)
    assert "Verdict: it would be let in." in typed(platform, *words)
    reply = platform.ask(body, key=caller["secret"])
    held = receipt_of(platform, reply.id)["held_nusd"]
    assert f"{held / 10**9:.9f}".rstrip("0") == told["worst_case_usd"]

    platform.manage("POST", "/budgets", {"key": caller["id"], "amount_usd": "0", "window": "day"})
    refused = platform.tollhouse(*words)["verdict"]
    assert not refused["admitted"]
    met = platform.ask(body, key=caller["secret"])
    error = refused["error"]
    assert (error["status"], error["code"], error["message"]) == (met.status, met.code, met.json["error"]["message"])
    again = platform.tollhouse("explain", "--request", reply.id)
    assert again["receipt"]["id"] == reply.id
    assert again["verdict"]["error"]["code"] == "insufficient_quota"
    assert typed(platform, "explain", "--request", reply.id).startswith(reply.id)
    standard_input = typed(platform, "explain", "--body", "-", "--key", caller["id"], stdin=b'{"model": ')
    assert "Verdict: it would get 400 invalid_request_error" in standard_input


def test_an_api_key_explains_itself(platform: PlatformProcess) -> None:
    own = platform.ask({"body": chat("nowhere")}, path="/api/v1/explain")
    assert (own.status, own.json["verdict"]["error"]["code"]) == (200, "model_not_found")


def receipt_of(platform: PlatformProcess, request_id: str) -> Any:
    return platform.manage("GET", f"/requests/{request_id}")
