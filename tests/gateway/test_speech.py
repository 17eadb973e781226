"""Speech: bytes that leave as they come, and are paid by the character or by tokens."""

import json
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, Piece, ScriptedResponse
from tests.gateway.harness import STREAMS, buffered, run, streaming
from tests.gateway.test_beside_text import BY_TOKENS, TEXT, asked, body, prepared
from tollhouse.core.failure import UpstreamBroke, UpstreamError
from tollhouse.core.usage import Usage
from tollhouse.gateway.connection import ClientDisconnected

SOUND = bytes(range(256)) * 40


def sound(*pieces: Piece, kind: bytes = b"audio/mpeg") -> ScriptedResponse:
    return ScriptedResponse(headers=[(b"content-type", kind)], pieces=pieces or (SOUND[:3_000], SOUND[3_000:]))


def test_speech_goes_on_as_it_comes_and_its_last_bytes_wait() -> None:
    harness = prepared({"per_character": "0.00003"}, sound())
    client = FakeCallerConnection(body("speech"))
    seen: list[int] = []
    client.on_part = lambda data: seen.append(len(harness.ledger.records))
    run(harness.ask(client, "speech"))
    assert client.data == SOUND
    assert seen[-2:] == [0, 1]
    assert client.ended
    assert not client.broken_off
    assert client.header(b"content-type") == b"audio/mpeg"
    assert client.header(b"x-tollhouse-charge-usd") == b"0.00051"
    assert harness.record.usage.characters == len(TEXT) == 17
    assert harness.counter.spent == 17 * 30_000
    assert json.loads(harness.first.calls[0].body) == {"model": "up-one", "input": TEXT, "voice": "alloy"}


def test_where_tokens_are_priced_the_charge_is_not_known_before() -> None:
    harness = prepared(BY_TOKENS, sound(), model={"max_output_tokens": 100})
    client = asked(harness, "speech")
    assert client.header(b"x-tollhouse-charge-usd") == b""
    assert harness.record.usage.audio_out > 0


@pytest.mark.parametrize(
    ("kind", "members", "told"),
    [
        (b"audio/wav; codecs=1", {}, b"audio/wav; codecs=1"),
        (b"application/octet-stream", {"response_format": "wav"}, b"audio/wav"),
        (b"", {}, b"audio/mpeg"),
        (b"application/octet-stream", {"response_format": "strange"}, b"application/octet-stream"),
    ],
)
def test_the_type_is_the_providers_or_the_one_that_was_asked_for(
    kind: bytes, members: dict[str, Any], told: bytes
) -> None:
    client = asked(prepared({"per_character": "0.00003"}, sound(kind=kind)), "speech", **members)
    assert client.header(b"content-type") == told


@pytest.mark.parametrize(
    "answer",
    [
        buffered(b'{"error":{"message":"no such voice","type":"server_error"}}'),
        buffered(b'{"text":"what?"}'),
        sound(b"<html>", kind=b"text/html"),
        sound(b""),
        streaming(b'data: {"error":{"message":"broken"}}\n\n'),
    ],
)
def test_what_is_no_sound_is_asked_for_elsewhere(answer: ScriptedResponse) -> None:
    harness = prepared({"per_character": "0.00003"}, answer, second=FakeUpstream(sound()))
    client = asked(harness, "speech")
    assert client.data == SOUND
    assert len(harness.second.calls) == 1
    assert harness.counter.spent == 17 * 30_000


def test_sound_that_breaks_off_has_no_end() -> None:
    harness = prepared({"per_character": "0.00003"}, sound(SOUND, UpstreamBroke("it broke off")))
    client = asked(harness, "speech")
    assert client.broken_off
    assert client.data == SOUND[:-1024], "no word of an error within sound, and not its last bytes"
    assert harness.record.ending == "failed_after_first_byte"
    assert harness.counter.spent == 17 * 30_000


def test_sound_that_cannot_be_charged_has_no_end() -> None:
    harness = prepared({"per_character": "0.00003"}, sound())
    harness.ledger.failing = True
    client = FakeCallerConnection(body("speech"))

    async def main() -> None:
        await harness.ask(client, "speech")
        assert client.broken_off
        assert client.data == SOUND[:-1024]
        for task in harness.gateway.deferred_commits:
            task.cancel()

    run(main())


def test_who_leaves_during_speech_pays_for_their_text() -> None:
    client = FakeCallerConnection(body("speech"))
    harness = prepared({"per_character": "0.00003"}, sound(SOUND, client.leave, SOUND))

    async def main() -> None:
        with pytest.raises(ClientDisconnected):
            await harness.ask(client, "speech")

    run(main())
    assert harness.record.ending == "client_left_after_first_byte"
    assert harness.first.answers[0].aborted
    assert harness.counter.spent == 17 * 30_000


def test_speech_as_events_reports_its_tokens() -> None:
    delta = b'data: {"type":"speech.audio.delta","audio":"AAAA"}\n\n'
    done = b'data: {"type":"speech.audio.done","usage":{"input_tokens":4,"output_tokens":50,"total_tokens":54}}\n\n'
    answer = ScriptedResponse(headers=STREAMS, pieces=(delta, done))
    harness = prepared(BY_TOKENS, answer, model={"max_output_tokens": 100})
    client = asked(harness, "speech", stream_format="sse")
    assert harness.record.usage == Usage(input=4, audio_out=50, requests=1, characters=17)
    assert b"speech.audio.done" in client.parts[-1]
    with pytest.raises(UpstreamError):
        asked(prepared(BY_TOKENS, sound(), sound(), model={"max_output_tokens": 100}), "speech", stream_format="sse")
