"""A customer reads his receipt with his own key; an operator reads, follows and explains calls from the shell."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.journey.platform_process import WAIT_SECONDS_MAX, Platform, Reply, chat, events
from tests.journey.scripted_provider import LAST, Provider, answers, said, streams, word

ANSWER = said("hello")
STREAM = (word("hel"), word("lo"), LAST)


@pytest.fixture(autouse=True)
def answered(provider: Provider) -> None:
    provider.plays("up-house", answers(ANSWER))


def typed(house: Platform, *words: str, stdin: bytes = b"") -> str:
    """What a command prints for people."""
    command = [sys.executable, "-m", "tollhouse", *words, "--dir", str(house.folder)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=True, timeout=WAIT_SECONDS_MAX)
    return done.stdout.decode()


def receipt(house: Platform, request_id: str) -> Reply:
    return house.ask(method="GET", path=f"/api/v1/requests/{request_id}")


def test_the_own_key_reads_the_receipt_as_soon_as_the_answer_is_there(house: Platform) -> None:
    reply = house.ask(chat(max_tokens=30), headers={"x-tollhouse-tags": "team=red"})
    read = receipt(house, reply.id)
    assert (read.status, read.json["id"]) == (200, reply.id)
    assert read.json["charge_usd"] == reply.headers["x-tollhouse-charge-usd"]
    assert sum(line["charge_nusd"] for line in read.json["lines"]) == read.json["charge_nusd"] > 0
    assert read.json["tags"] == {"team": "red"}
    times = read.json["timing_ms"]
    assert times["admitted"] <= times["first_byte"] <= times["last_byte"] <= times["settled"]
    stranger = house.manage("POST", "/accounts", {"name": "stranger"})["id"]
    other = house.manage("POST", "/keys", {"name": "other", "account": stranger})["secret"]
    assert house.ask(method="GET", path=f"/api/v1/requests/{reply.id}", key=other).status == 404


def test_the_usage_chunk_of_a_stream_says_what_its_receipt_says(house: Platform, provider: Provider) -> None:
    provider.plays("up-house", streams(STREAM))
    reply = house.ask(chat(stream=True, max_tokens=30, stream_options={"include_usage": True}))
    told = next(one["tollhouse"] for one in events(reply.body) if one != "[DONE]" and "tollhouse" in one)
    assert told["request_id"] == reply.id
    read = receipt(house, told["request_id"]).json
    assert (read["charge_usd"], read["stream"], read["ending"]) == (told["charge_usd"], True, "finished")


def test_a_receipt_on_the_terminal_shows_lines_limits_and_purses(house: Platform) -> None:
    reply = house.ask(chat(max_tokens=30))
    shown = typed(house, "requests", "show", reply.id)
    for words in (reply.id, "finished", "Charge lines", "up-house", "Purses it was held on", "txn_"):
        assert words in shown
    told = house.tollhouse("requests", "show", reply.id)
    assert told["attempts"][0]["provider"] == "up"
    assert reply.id in typed(house, "requests", "list", "--status", "2xx", "--since", "1h")


def test_calls_are_followed_a_line_each_while_they_end(house: Platform) -> None:
    command = [sys.executable, "-m", "tollhouse", "requests", "tail", "--json", "--lines", "1", "--count", "4"]
    begun = house.ask(chat(max_tokens=30))
    with subprocess.Popen([*command, "--dir", str(house.folder)], stdout=subprocess.PIPE) as following:
        assert following.stdout is not None
        seen = [json.loads(following.stdout.readline())["id"]]  # it follows from here on
        asked = [house.ask(chat(max_tokens=30)).id for _ in range(3)]
        seen += [json.loads(line)["id"] for line in following.stdout]
        assert following.wait(WAIT_SECONDS_MAX) == 0
    assert seen == [begun.id, *asked]


@pytest.fixture
def caller(house: Platform) -> Any:
    return house.manage("POST", "/keys", {"name": "explained", "account": "demo"})


def test_explain_tells_what_the_call_then_meets(house: Platform, caller: Any, tmp_path: Path) -> None:
    body = json.dumps(chat(max_tokens=30), indent=1).encode()
    (tmp_path / "body.json").write_bytes(body)
    words = ("explain", "--body", str(tmp_path / "body.json"), "--key", caller["id"])
    told = house.tollhouse(*words)
    assert told["verdict"] == {"admitted": True}
    assert told["bounds"]["input_tokens"] == len(body)
    assert "Verdict: it would be let in." in typed(house, *words)
    reply = house.ask(body, key=caller["secret"])
    held = receipt_of(house, reply.id)["held_nusd"]
    assert f"{held / 10**9:.9f}".rstrip("0") == told["worst_case_usd"]

    house.manage("POST", "/budgets", {"key": caller["id"], "amount_usd": "0", "window": "day"})
    refused = house.tollhouse(*words)["verdict"]
    assert not refused["admitted"]
    met = house.ask(body, key=caller["secret"])
    error = refused["error"]
    assert (error["status"], error["code"], error["message"]) == (met.status, met.code, met.json["error"]["message"])
    again = house.tollhouse("explain", "--request", reply.id)
    assert again["receipt"]["id"] == reply.id
    assert again["verdict"]["error"]["code"] == "insufficient_quota"
    assert typed(house, "explain", "--request", reply.id).startswith(reply.id)
    standard_input = typed(house, "explain", "--body", "-", "--key", caller["id"], stdin=b'{"model": ')
    assert "Verdict: it would get 400 invalid_request_error" in standard_input


def test_an_api_key_explains_itself(house: Platform) -> None:
    own = house.ask({"body": chat("nowhere")}, path="/api/v1/explain")
    assert (own.status, own.json["verdict"]["error"]["code"]) == (200, "model_not_found")


def receipt_of(house: Platform, request_id: str) -> Any:
    return house.manage("GET", f"/requests/{request_id}")
