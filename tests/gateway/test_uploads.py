"""Calls by forms: what is held and charged, what a provider is sent, and what is left of an upload: nothing."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.core.test_sound_length import mp3, wav
from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import TEST, GatewayHarness, buffered, refusing, run, streaming, until
from tests.gateway.test_beside_text import BY_TOKENS, prepared
from tollhouse.core.failure import (
    BadRequest,
    EncodingUnknown,
    InsufficientQuota,
    MemoryTaken,
    Overloaded,
    RequestTooLarge,
    UnsupportedParameter,
)
from tollhouse.core.form import UploadedForm
from tollhouse.core.multipart import read_form
from tollhouse.core.operation import Operation
from tollhouse.core.spool import MemorySpool, SpooledBytes
from tollhouse.core.upstream import Headers, UpstreamRequest
from tollhouse.core.usage import Usage
from tollhouse.gateway.bodies import Bodies
from tollhouse.gateway.connection import ClientDisconnected
from tollhouse.limits.body_memory import BodyMemory

USD = 10**9
SOUND = wav(24_000)  # three seconds
BY_SECONDS = {"per_second": "0.0001"}
SAID = buffered(json.dumps({"text": "Zoll haus", "usage": {"type": "duration", "seconds": 3}}).encode())
HEADERS: Headers = [(b"content-type", b"multipart/form-data; boundary=B")]


def form(*parts: tuple[str, str | bytes], model: str = "house-1", **fields: str) -> bytes:
    """Texts are fields, bytes are files; the model stands behind them."""
    body = b""
    for name, value in (*parts, ("model", model), *fields.items()):
        said, data = (b"", value.encode()) if isinstance(value, str) else (b'; filename="a.wav"', value)
        body += b'--B\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (name.encode(), said, data)
    return body + b"--B--\r\n"


class Spools:
    """Gives spools, and remembers them."""

    def __init__(self) -> None:
        self.given: list[_Spool] = []

    def __call__(self) -> "_Spool":
        self.given.append(_Spool())
        return self.given[-1]


class _Spool(MemorySpool):
    closed = failing = False

    def write(self, data: bytes) -> None:
        if self.failing:
            raise OSError(28, "No space left on device")
        super().write(data)

    def read(self, at: int, size: int) -> bytes:
        if self.closed:
            raise ValueError("the spool is closed")
        return super().read(at, size)

    def close(self) -> None:
        self.closed = True


class Reading(FakeUpstream):
    """Reads what it is sent, as a provider does."""

    def __init__(self, *plays: ScriptedResponse) -> None:
        super().__init__(*plays)
        self.forms: list[UploadedForm] = []

    async def send(self, call: UpstreamRequest) -> Any:
        body = b"".join(
            piece.read(len(piece)) if isinstance(piece, SpooledBytes) else bytes(piece) for piece in call.upload
        )
        assert call.length() == len(body)
        self.forms.append(read_form(body))
        return await super().send(call)

    @property
    def told(self) -> dict[str, str]:
        return dict(self.forms[-1].fields)


def made(price: Mapping[str, object], *answers: ScriptedResponse, **how: Any) -> GatewayHarness:
    harness = prepared(price, **{"first": Reading(*answers), **how})
    harness.gateway.spool = Spools()
    return harness


def spools(harness: GatewayHarness) -> list[_Spool]:
    assert isinstance(harness.gateway.spool, Spools)
    return harness.gateway.spool.given


def asked(
    harness: GatewayHarness, body: bytes, operation: Operation = "transcriptions", **how: Any
) -> FakeCallerConnection:
    client = FakeCallerConnection(body)
    run(harness.ask(client, operation, **{"headers": HEADERS, **how}))
    return client


def test_seconds_are_those_that_are_reported_and_the_model_may_stand_behind_the_file() -> None:
    harness = made(BY_SECONDS, SAID)
    client = asked(harness, form(("file", SOUND), language="en", strange="1"))
    assert json.loads(client.data)["text"] == "Zoll haus"
    assert client.header(b"x-tollhouse-charge-usd") == b"0.0003"
    assert harness.record.usage.seconds == 3
    assert (harness.record.usage_source, harness.counter.spent) == ("upstream", 3 * USD // 10_000)
    first = harness.first
    assert isinstance(first, Reading)
    assert first.told == {"model": "up-one", "language": "en", "strange": "1"}
    (file,) = first.forms[0].files
    assert (file.name, file.filename) == ("file", "a.wav")
    assert first.forms[0].spool.read(file.at, file.size) == SOUND
    told = dict(first.calls[0].headers)[b"content-type"]
    assert told.startswith(b"multipart/form-data; boundary=")
    assert not told.endswith(b"=B")
    assert [one.closed for one in spools(harness)] == [True]
    assert harness.gateway.uploads.memory.used == 0


@pytest.mark.parametrize(
    ("answer", "seconds", "source"),
    [
        ({"text": "Zoll haus", "duration": 2.1, "segments": []}, 3, "upstream"),
        ({"text": "Zoll haus", "duration": "2.9"}, 3, "upstream"),
        ({"text": "Zoll haus"}, 3, "counted"),
        ({"text": "Zoll haus", "duration": "long"}, 3, "counted"),
        ({"text": "Zoll haus", "duration": -1}, 3, "counted"),
        ({"text": "Zoll haus", "duration": 10**12}, 3, "counted"),
        ({"text": "Zoll haus", "usage": {"type": "duration", "seconds": 1.5}}, 2, "upstream"),
    ],
)
def test_seconds_that_nobody_reports_are_measured(answer: dict[str, Any], seconds: int, source: str) -> None:
    harness = made(BY_SECONDS, buffered(json.dumps(answer).encode()))
    asked(harness, form(("file", SOUND), response_format="verbose_json"))
    assert (harness.record.usage.seconds, harness.record.usage_source) == (seconds, source)
    assert harness.counter.spent == seconds * USD // 10_000


@pytest.mark.parametrize("text", [b"Zoll haus\n", b"1\n00:00:00,000 --> 00:00:03,000\nZoll haus\n", b"WEBVTT\n\nZoll"])
def test_a_text_is_passed_on_as_text(text: bytes) -> None:
    harness = made(BY_SECONDS, ScriptedResponse(headers=[(b"content-type", b"text/plain")], pieces=(text,)))
    client = asked(harness, form(("file", SOUND), response_format="srt"))
    assert (client.data, client.header(b"content-type")) == (text, b"text/plain; charset=utf-8")
    assert harness.counter.spent == 3 * USD // 10_000


@pytest.mark.parametrize(
    ("sound", "context", "held"),
    [(SOUND, None, 3), (mp3(100), None, 42), (b"OggS" + bytes(99), 7_200, 7_200), (b"OggS", None, 2_097_152)],
)
def test_what_no_head_bounds_is_held_as_the_longest_that_the_model_takes(
    sound: bytes, context: int | None, held: int
) -> None:
    price = held * USD // 10_000
    for money, served in ((price, True), (price - 1, False)):
        harness = made(BY_SECONDS, SAID, money=money, model={"context_tokens": context})
        if served:
            asked(harness, form(("file", sound)))
            assert harness.record.charge is not None
            assert harness.record.charge.held == price
            continue
        with pytest.raises(InsufficientQuota):
            asked(harness, form(("file", sound)))
        assert not harness.first.calls
        assert [one.closed for one in spools(harness)] == [True]


def test_tokens_of_sound_are_those_that_are_reported() -> None:
    usage = {
        "type": "tokens",
        "input_tokens": 40,
        "input_token_details": {"text_tokens": 10, "audio_tokens": 30},
        "output_tokens": 5,
        "total_tokens": 45,
    }
    harness = made(
        {"input": "2", "audio_in": "6", "output": "10"},
        buffered(json.dumps({"text": "Zoll haus", "usage": usage}).encode()),
        model={"context_tokens": 16_000, "max_output_tokens": 2_000},
    )
    asked(harness, form(("file", SOUND)))
    assert harness.record.usage == Usage(input=10, audio_in=30, output=5, requests=1, seconds=3)
    assert harness.counter.spent == 10 * 2_000 + 30 * 6_000 + 5 * 10_000


def test_a_transcript_streams_and_its_end_waits_for_the_charge() -> None:
    delta = b'data: {"type":"transcript.text.delta","delta":"Zoll haus"}\n\n'
    done = b'data: {"type":"transcript.text.done","text":"Zoll haus"}\n\n'
    harness = made(BY_SECONDS, streaming(delta, done))
    seen: list[int] = []
    client = FakeCallerConnection(form(("file", SOUND), stream="true"))
    client.on_part = lambda data: seen.append(len(harness.ledger.records))
    run(harness.ask(client, "transcriptions", headers=HEADERS))
    assert seen == [0, 1]
    assert b'"tollhouse":{"charge_usd":"0.0003"' in client.parts[1]
    assert isinstance(harness.first, Reading)
    assert harness.first.told == {"model": "up-one", "stream": "true"}
    assert harness.record.usage.output == 2


@pytest.mark.parametrize("stream", [False, True])
def test_a_transcript_comes_in_the_form_that_was_asked_for(stream: bool) -> None:
    whole = json.dumps({"text": "Zoll haus", "duration": 3.0}).encode()
    done = b'data: {"type":"transcript.text.done","text":"Zoll haus"}\n\ndata: [DONE]\n\n'
    harness = made(BY_SECONDS, buffered(whole) if stream else streaming(done))
    client = asked(harness, form(("file", SOUND), stream=str(stream)))
    if stream:
        assert b"transcript.text.delta" in client.parts[0]
    else:
        assert json.loads(client.data) == {"text": "Zoll haus"}
    assert harness.counter.spent == 3 * USD // 10_000


def test_an_upload_is_sent_again_elsewhere() -> None:
    second = Reading(SAID)
    harness = made(BY_SECONDS, refusing(503), second=second)
    asked(harness, form(("file", SOUND)))
    assert isinstance(harness.first, Reading)
    assert [one.status for one in harness.record.attempts] == [503, 200]
    assert second.told["model"] == "up-two"
    files = [(one.files[0].size, one.spool.read(one.files[0].at, 10**9)[: len(SOUND)]) for one in second.forms]
    assert files == [(len(SOUND), SOUND)]


def test_pictures_that_are_edited_are_held_by_their_number() -> None:
    usage = {"input_tokens": 700, "input_tokens_details": {"text_tokens": 50, "image_tokens": 650}, "output_tokens": 90}
    answer = buffered(json.dumps({"created": 1, "data": [{"b64_json": "AA=="}], "usage": usage}).encode())
    harness = made(BY_TOKENS, answer, money=10 * USD, model={"max_output_tokens": 100, "context_tokens": None})
    body = form(("image[]", b"one"), ("image[]", b"two"), ("mask", b"three"), prompt="a gate", n="1")
    asked(harness, body, "image_edits")
    assert harness.record.usage == Usage(input=50, image_in=650, image_out=90, images=1, requests=1)
    assert isinstance(harness.first, Reading)
    assert [one.name for one in harness.first.forms[0].files] == ["image[]", "image[]", "mask"]
    assert harness.record.charge is not None
    assert harness.record.charge.held > 3 * 50_000 * 5_000


@pytest.mark.parametrize(
    ("operation", "body", "param"),
    [
        ("transcriptions", form(), "file"),
        ("transcriptions", form(("file", "text")), "file"),
        ("transcriptions", form(("file", b"")), "file"),
        ("transcriptions", form(("file", b"a"), ("file", b"b")), "file"),
        ("transcriptions", form(("file", b"a"), ("other", b"b")), "other"),
        ("transcriptions", form(("file", b"a"), ("model", "other")), "model"),
        ("transcriptions", form(("file", b"a"), ("model[]", "other")), "model[]"),
        ("transcriptions", form(("file", b"a"), ("Model", "other")), "Model"),
        ("transcriptions", form(("file", b"a"), response_format="docx"), "response_format"),
        ("transcriptions", form(("file", b"a"), stream="perhaps"), "stream"),
        ("transcriptions", form(("file", b"a"), stream="true", response_format="srt"), "stream"),
        ("image_edits", form(("image", b"a")), "prompt"),
        ("image_edits", form(*[("image[]", b"a")] * 17, prompt="a"), "image"),
        ("image_edits", form(("image", b"a"), ("mask", b"a"), ("mask", b"b"), prompt="a"), "mask"),
        ("image_edits", form(("image", b"a"), prompt="a", n="0"), "n"),
        ("image_edits", form(("image", b"a"), prompt="a", n="x"), "n"),
        ("image_edits", form(("image", b"a"), prompt="a", output_format="svg"), "output_format"),
        ("image_variations", form(("image", b"a"), ("image", b"b")), "image"),
    ],
)
def test_a_form_that_says_something_else_is_refused_by_name(operation: Operation, body: bytes, param: str) -> None:
    harness = made({"input": "1", "per_image": "1", "per_second": "1"}, SAID)
    with pytest.raises((BadRequest, UnsupportedParameter)) as refused:
        asked(harness, body, operation)
    assert refused.value.param == param
    assert not harness.first.calls
    assert [one.closed for one in spools(harness)] == [True]
    assert harness.limits.inside == 0


@pytest.mark.parametrize(
    ("headers", "failure"),
    [
        ([(b"content-type", b"application/json")], BadRequest),
        ([], BadRequest),
        ([*HEADERS, (b"content-encoding", b"gzip")], EncodingUnknown),
    ],
)
def test_what_is_no_form_is_refused(headers: Headers, failure: type[Exception]) -> None:
    harness = made(BY_SECONDS, SAID)
    with pytest.raises(failure):
        asked(harness, form(("file", SOUND)), headers=headers)
    assert not spools(harness)


@pytest.mark.parametrize("announced", [True, False])
def test_a_form_that_is_too_large_is_refused(announced: bool) -> None:
    harness = made(BY_SECONDS, SAID)
    client = FakeCallerConnection(form(("file", SOUND)))
    client.body_max = 10_000
    client.length = client.body_held if announced else -1
    with pytest.raises(RequestTooLarge):
        run(harness.ask(client, "transcriptions", headers=HEADERS))
    assert harness.gateway.uploads.memory.used == 0


def test_who_leaves_in_the_middle_of_an_upload_leaves_nothing() -> None:
    harness = made(BY_SECONDS, SAID)
    client = FakeCallerConnection(form(("file", SOUND)))
    client.leaves_before_body = True
    with pytest.raises(ClientDisconnected):
        run(harness.ask(client, "transcriptions", headers=HEADERS))
    assert [one.closed for one in spools(harness)] == [True]
    assert harness.record.ending == "client_left_before_dispatch"


def test_a_full_disk_is_told_as_such() -> None:
    harness = made(BY_SECONDS, SAID)
    harness.gateway.spool = _failing
    with pytest.raises(Overloaded):
        asked(harness, form(("file", SOUND)))
    harness.gateway.spool = _none
    with pytest.raises(Overloaded):
        asked(harness, form(("file", SOUND)))
    assert harness.gateway.uploads.memory.used == 0


def _failing() -> _Spool:
    spool = _Spool()
    spool.failing = True
    return spool


def _none() -> _Spool:
    raise OSError(28, "No space left on device")


def test_uploads_share_the_disk_by_account() -> None:
    """An account gets half of it, whatever it sends; another one the rest."""
    harness = made(BY_SECONDS, SAID)
    harness.gateway.uploads = uploads = Bodies(harness.clock, BodyMemory(1_000_000), wait_seconds=0.01)
    body = form(("file", wav(100_000)))

    async def main() -> None:
        uploads.memory.take("acc_1", 500_000)
        client = FakeCallerConnection(body)
        client.length = len(body)
        with pytest.raises(MemoryTaken):
            await harness.ask(client, "transcriptions", headers=HEADERS)
        assert client.body_held == len(body), "it was not read"
        uploads.memory.free("acc_1", 500_000)
        uploads.memory.take("acc_2", 500_000)
        client = FakeCallerConnection(body)
        client.length = len(body)
        await harness.ask(client, "transcriptions", headers=HEADERS)
        assert uploads.memory.used == 500_000

    run(main())


def test_who_sends_slowly_is_cut_off_while_another_waits() -> None:
    harness = made(BY_SECONDS, SAID)
    harness.gateway.uploads = uploads = Bodies(harness.clock, BodyMemory(300_000), wait_seconds=5)
    body = form(("file", wav(60_000)))

    class Slow(FakeCallerConnection):
        async def receive(self) -> bytes | None:
            await until(lambda: self.left)
            return None

    async def main() -> None:
        slow = Slow(body)
        slow.length = len(body)
        waiting = asyncio.ensure_future(harness.ask(slow, "transcriptions", headers=HEADERS))
        await until(lambda: uploads.memory.used > 0)
        harness.clock.ms += 60_000
        client = FakeCallerConnection(body)
        client.length = len(body)
        await harness.ask(client, "transcriptions", headers=HEADERS)
        assert client.status == 200
        with pytest.raises(ClientDisconnected):
            await waiting

    run(main())


def test_a_test_key_sends_its_form_to_the_simulator() -> None:
    simulated = Reading(SAID)
    harness = made(BY_SECONDS, SAID, test_mode_endpoints=simulated)
    asked(harness, form(("file", SOUND)), key=TEST)
    assert len(simulated.forms) == 1
    assert harness.counter.spent == 0
