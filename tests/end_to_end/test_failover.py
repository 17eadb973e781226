"""A first offer that fails in every way a socket can, and a second that answers; circuits, keys, models that retire."""

import json

import pytest

from tests.end_to_end.platform_process import PlatformProcess, chat, events, text_of
from tests.support.scripted_provider import (
    LAST,
    Script,
    ScriptedProvider,
    Turn,
    answers,
    hangs_up,
    plays_file,
    refuses,
    said,
    says_nothing,
    streams,
    word,
)

FIRSTS = (
    "page",
    "page-in-200",
    "status-500",
    "saturated",
    "refused-key",
    "hangs-up",
    "closes",
    "error-in-200",
    "silent",
)
MORE = """
[providers.bad]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"
first_byte_seconds = 1

[providers.nobody]
kind = "openai_compatible"
base_url = "http://127.0.0.1:1/v1"

[providers.two-keys]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"
api_keys = ["sk-first-key", "sk-second-key"]

[models.unreachable]
offers = [{ provider = "nobody", model = "up-nobody" }, { provider = "up", model = "up-good", priority = 1 }]
price = { input = "2.50", output = "10.00" }

[models.failing]
offers = [{ provider = "bad", model = "up-failing" }]
price = { input = "2.50", output = "10.00" }

[models.keyed]
offers = [{ provider = "two-keys", model = "up-keyed" }]
price = { input = "2.50", output = "10.00" }
aliases = ["keyed-latest"]

[models.alone-1]
offers = [{ provider = "bad", model = "up-alone-1" }]
price = { input = "2.50", output = "10.00" }

[models.alone-2]
offers = [{ provider = "bad", model = "up-alone-2" }]
price = { input = "2.50", output = "10.00" }

[models.leaving]
offers = [{ provider = "up", model = "up-good" }]
price = { input = "2.50", output = "10.00" }
retires_at = "2999-01-01"
successor = "house-1"

[models.gone]
offers = [{ provider = "up", model = "up-good" }]
price = { input = "2.50", output = "10.00" }
retires_at = "2020-01-01"
successor = "house-1"
""" + "".join(
    f"""
[models.{name}]
offers = [{{ provider = "bad", model = "up-{name}" }}, {{ provider = "up", model = "up-good", priority = 1 }}]
price = {{ input = "2.50", output = "10.00" }}
"""
    for name in FIRSTS
)
N14 = b'{"result":null,"success":false,"errors":[{"code":5006,"message":"tools must be an array"}],"messages":[]}'
PROVOKED: dict[str, tuple[Script, int]] = {
    "list-of-errors": (answers(N14, 400), 400),
    "moderated": (refuses(403, "Input was flagged"), 400),
    "firewall": (answers(b"<html>no</html>", 403, "text/html"), 400),
    "saturated-long": (refuses(429, retry_after="300"), 429),
    "no-money": (refuses(402), 502),
    "bad-key": (refuses(401), 502),
    "broken": (refuses(500), 502),
    "cut-off": (hangs_up, 502),
}
MORE += "".join(
    f"""
[models.{name}]
offers = [{{ provider = "bad", model = "up-{name}" }}]
price = {{ input = "2.50", output = "10.00" }}
"""
    for name in PROVOKED
)


async def closes(turn: Turn) -> None:
    turn.close()


FAULTS: dict[str, tuple[Script, str]] = {
    "page": (plays_file("P49.resp"), "upstream_error"),
    "page-in-200": (plays_file("P49b.resp"), "upstream_error"),
    "status-500": (refuses(500), "upstream_error"),
    "saturated": (refuses(429, retry_after="60"), "rate_limit_exceeded"),
    "refused-key": (refuses(401), "upstream_error"),
    "hangs-up": (hangs_up, "upstream_error"),
    "closes": (closes, "upstream_error"),
    "error-in-200": (answers(b'{"error":{"type":"overloaded_error","message":"x"}}'), "overloaded"),
    "silent": (says_nothing, "upstream_timeout"),
}


@pytest.mark.parametrize("name", FIRSTS)
def test_the_second_offer_answers(platform: PlatformProcess, provider: ScriptedProvider, name: str) -> None:
    script, code = FAULTS[name]
    provider.plays(f"up-{name}", script)
    provider.plays("up-good", answers(said("from the second")))
    reply = platform.ask(chat(name))
    assert (reply.status, reply.json["choices"][0]["message"]["content"]) == (200, "from the second")
    assert reply.headers["x-tollhouse-provider"] == "up"
    assert reply.headers["x-tollhouse-attempts"] == "2"
    provider.plays("up-good", streams(word("from the second") + LAST))
    streamed = platform.ask(chat(name, stream=True))
    assert text_of(streamed.body) == "from the second"
    first, second = platform.record(reply.id).attempts
    assert (first.provider, first.error) == ("bad", code)
    assert (second.provider, second.error) == ("up", None)


def test_nobody_listens_at_the_first(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    provider.plays("up-good", answers(said("from the second")))
    for _ in range(6):
        assert platform.ask(chat("unreachable")).status == 200
    circuits = platform.manage("GET", "/providers")["data"]
    (nobody,) = [one for one in circuits if one["id"] == "nobody"]
    assert nobody["state"]["circuits"][0]["state"] == "open"


def test_what_one_account_provokes_on_the_wire_another_does_not_notice(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    platform.tollhouse("accounts", "create", "neighbour", "--credit-limit", "5")
    neighbour = platform.tollhouse("keys", "create", "first", "--account", "neighbour")["secret"]
    for name, (script, status) in PROVOKED.items():
        provider.plays(f"up-{name}", script)
        statuses = [platform.ask(chat(name)).status for _ in range(7)]
        assert statuses[0] == status, name
        provider.plays(f"up-{name}", answers(said("served")))
        reply = platform.ask(chat(name), key=neighbour)
        assert reply.status == 200, (name, reply.body)
    text = platform.metrics()
    assert 'tollhouse_circuit_accounts{key="0",model="up-saturated-long",provider="bad"} 1.0' in text
    assert "acc_" not in text


@pytest.mark.parametrize(("model", "file"), [("alone-1", "P49.resp"), ("alone-2", "P49b.resp")])
def test_a_page_of_the_providers_edge_is_never_shown(
    platform: PlatformProcess, provider: ScriptedProvider, model: str, file: str
) -> None:
    """P49"""
    provider.plays(f"up-{model}", plays_file(file))
    for stream in (False, True):
        reply = platform.ask(chat(model, stream=stream))
        assert (reply.status, reply.code) == (502, "upstream_error")
        assert reply.headers["content-type"] == "application/json"
        told = reply.body + json.dumps(reply.headers).encode()
        assert b"<html" not in told.lower()
        assert b"gpu-7" not in told
        assert platform.record(reply.id).usage_source == "none"


def test_a_circuit_opens_and_everybody_can_see_it(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    provider.plays("up-failing", refuses(500))
    for _ in range(5):
        assert platform.ask(chat("failing")).status == 502
    refused = platform.ask(chat("failing"))
    assert (refused.status, refused.code) == (503, "overloaded")
    assert int(refused.headers["retry-after"]) > 0
    assert len(provider.turns) == 5, "it is left alone"
    line = next(line for line in platform.metrics().splitlines() if 'model="up-failing"' in line and "circuit" in line)
    assert 'state="open"' in line
    assert 'cause="failing"' in line
    listed = platform.tollhouse("providers", "list")["data"]
    (bad,) = [one for one in listed if one["id"] == "bad"]
    assert [one["state"] for one in bad["state"]["circuits"] if one["model"] == "up-failing"] == ["open"]


def test_a_refused_key_rests_and_the_other_serves(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    refused: list[str | None] = []

    async def picky(turn: Turn) -> None:
        key = turn.header("authorization")
        if not refused:
            refused.append(key)
        await (refuses(401) if key in refused else answers(said("with the other")))(turn)

    provider.plays("up-keyed", picky)
    for _ in range(3):
        assert platform.ask(chat("keyed")).status == 200
    keys = [turn.header("authorization") for turn in provider.seen(4)]
    assert {*keys} == {"Bearer sk-first-key", "Bearer sk-second-key"}
    assert keys[1:] == [keys[1]] * 3
    assert keys[0] != keys[1]


def test_an_alias_is_the_model(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    provider.plays("up-keyed", answers(said("hello")))
    reply = platform.ask(chat("keyed-latest"))
    assert reply.status == 200
    assert platform.record(reply.id).model == "keyed"
    assert provider.seen()[0].json["model"] == "up-keyed"


def test_a_model_about_to_retire_says_so_on_every_answer(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    provider.plays("up-good", answers(said("hello")), streams(word("hello") + LAST))
    for stream in (False, True):
        reply = platform.ask(chat("leaving", stream=stream))
        assert reply.headers["sunset"] == "Tue, 01 Jan 2999 00:00:00 GMT"
        assert reply.headers["deprecation"].startswith("@")


def test_a_retired_model_names_its_successor(platform: PlatformProcess) -> None:
    reply = platform.ask(chat("gone"))
    assert (reply.status, reply.code) == (404, "model_not_found")
    assert "house-1" in reply.json["error"]["message"]
    assert "gone" not in [model["id"] for model in platform.ask(path="/v1/models", method="GET").json["data"]]


def test_what_a_provider_refuses_reaches_the_caller_with_its_reason(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    body = {"error": {"message": "temperature must be below 2", "param": "temperature", "code": "invalid_value"}}
    provider.plays("up-house", answers(json.dumps(body).encode(), 400))
    reply = platform.ask(chat(temperature=9))
    assert (reply.status, reply.code) == (400, "invalid_value")
    assert reply.json["error"]["param"] == "temperature"
    assert "temperature must be below 2" in reply.json["error"]["message"]


def test_a_kept_connection_that_went_stale_costs_nobody_a_call(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    async def closes_after(turn: Turn) -> None:
        """Says that it keeps the connection, and closes it all the same."""
        await answers(said("first"))(turn)
        turn.close()

    provider.plays("up-house", closes_after)
    for _ in range(20):
        assert platform.ask(chat()).status == 200


def test_members_pass_as_they_were_written(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    provider.plays("up-house", answers(said("hello")))
    messages = b'[{"role": "user",\n "content": "caf\\u00e9 \xe7\xa8\x8e",  "x": 1.50}]'
    body = b'{"model":"house-1","messages":' + messages + b',"logit_bias":{"1":-0.0},"vendor_field":[1e3]}'
    assert platform.ask(body).status == 200
    (turn,) = provider.seen()
    assert messages in turn.body
    assert b'"logit_bias":{"1":-0.0}' in turn.body
    assert b'"vendor_field":[1e3]' in turn.body
    assert turn.path == "/v1/chat/completions"
    assert turn.header("accept-encoding") in (None, "identity")
    assert platform.key not in turn.head.decode()


def test_large_bodies_go_up_and_down(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    provider.plays("up-house", answers(said("y" * 2_000_000)))
    reply = platform.ask(chat(messages=[{"role": "user", "content": "x" * 2_000_000}]))
    assert reply.status == 200
    assert len(reply.json["choices"][0]["message"]["content"]) == 2_000_000
    assert len(provider.seen()[0].json["messages"][0]["content"]) == 2_000_000


def test_events_in_the_middle_of_a_chunk_of_the_wire(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """An answer whose chunks end anywhere, with extensions and a trailer."""
    body = word("one ") + word("two ") + LAST
    pieces = [body[at : at + 23] for at in range(0, len(body), 23)]
    chunks = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def play(turn: Turn) -> None:
        await turn.write(head + chunks + b"0\r\nx-trailer: 1\r\n\r\n")

    provider.plays("up-house", play)
    reply = platform.ask(chat(stream=True))
    assert text_of(reply.body) == "one two "
    assert events(reply.body)[-1] == "[DONE]"
