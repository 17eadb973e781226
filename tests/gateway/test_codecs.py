"""A wire format is one file: a format of lines is found in a package of its own, without a change elsewhere.

Its calls are read, held for, written, answered, streamed, charged and refused.
"""

import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest
from msgspec import structs

from tests.gateway import line_format
from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import STREAMS, GatewayHarness, answer, buffered, run, streaming, word
from tollhouse.core.codec import CodecKey
from tollhouse.core.failure import BadRequest, Failure, UpstreamBroke, UpstreamError
from tollhouse.core.operation import Operation
from tollhouse.core.workers import APART_BYTES
from tollhouse.edge.paths import CALLS
from tollhouse.formats import codecs, codecs_in, dialects, dialects_in
from tollhouse.gateway.flow import serve

ASKED = b"house-1 say: hi there"
STREAMED = b"house-1 stream: hi there"
LINE: CodecKey = ("line", "chat")


@pytest.fixture
def formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package with one file, the format of lines."""
    folder = tmp_path / "formats_of_one"
    folder.mkdir()
    (folder / "__init__.py").touch()
    shutil.copy(line_format.__file__, folder / "line.py")
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("formats_of_one")
    for name in [name for name in sys.modules if name.startswith("formats_of_one")]:
        del sys.modules[name]


def harness_of(formats: ModuleType, *plays: ScriptedResponse) -> GatewayHarness:
    harness = GatewayHarness(first=FakeUpstream(*plays), money=10**9)
    harness.gateway.codecs = {**codecs(), **codecs_in(formats)}
    return harness


def call(harness: GatewayHarness, body: bytes) -> FakeCallerConnection:
    """One call in the format of lines, to its end."""
    client = FakeCallerConnection(body)
    arrived = harness.call(client)
    arrived.dialect = "line"
    run(serve(harness.gateway, arrived))
    return client


def refused(harness: GatewayHarness, body: bytes) -> tuple[Failure, bytes]:
    with pytest.raises(Failure) as caught:
        call(harness, body)
    codec = harness.gateway.codecs["line", "chat"]
    return caught.value, codec.error_body(caught.value, "req_1")


def test_every_endpoint_has_a_codec() -> None:
    by_action = {
        (dialect, action.operation)  # asked for behind the name of a model
        for dialect, spec in dialects().items()
        for action in spec.actions.values()
        if action.operation is not None
    }
    assert {(one.dialect, one.operation) for one in CALLS} | by_action == set(codecs())
    assert {("openai", operation) for operation in get_args(Operation)} <= set(codecs())


def test_a_format_in_one_file_is_found(formats: ModuleType) -> None:
    assert list(codecs_in(formats)) == [LINE]


def test_its_dialect_is_found_with_it(formats: ModuleType) -> None:
    (found,) = dialects_in(formats).values()
    assert (found.name, found.models([]), found.error_body(BadRequest("no"), "req_1")) == ("line", b"", b"failed: no")


def test_two_dialects_of_a_name_are_refused(formats: ModuleType) -> None:
    (folder,) = formats.__path__
    shutil.copy(line_format.__file__, Path(folder, "other.py"))
    with pytest.raises(ValueError, match=r"two dialects are called line: formats_of_one\.other"):
        dialects_in(formats)


def test_the_headers_of_limits_are_its_own(formats: ModuleType) -> None:
    harness = harness_of(formats, buffered(b"said: Zoll haus | 60 12"))
    harness.limits.most = 3
    assert call(harness, ASKED).header(b"line-left") == b"2 requests"


def test_two_codecs_of_a_format_and_operation_are_refused(formats: ModuleType) -> None:
    (folder,) = formats.__path__
    shutil.copy(line_format.__file__, Path(folder, "other.py"))
    with pytest.raises(ValueError, match=r"two codecs of line chat: formats_of_one\.other"):
        codecs_in(formats)


def test_a_call_is_written_for_the_provider_and_charged_as_reported(formats: ModuleType) -> None:
    harness = harness_of(formats, buffered(b"said: Zoll haus | 60 12"))
    client = call(harness, ASKED)
    assert bytes(harness.first.calls[0].body) == b"up-one say: hi there"
    assert (client.status, client.data, client.ended) == (200, b"said: Zoll haus | 60 12", True)
    assert client.header(b"content-type") == b"text/plain"
    record = harness.record
    assert (record.dialect, record.operation, record.model) == (*LINE, "house-1")
    assert (record.usage.input, record.usage.output, record.usage_source) == (60, 12, "upstream")
    assert record.charge is not None
    assert record.charge.amount == 60 * 2_500 + 12 * 10_000
    assert record.charge.held > record.charge.amount
    assert (harness.counter.spent, harness.counter.held) == (record.charge.amount, 0)


def test_a_call_without_a_report_is_counted_and_says_so(formats: ModuleType) -> None:
    harness = harness_of(formats, buffered(b"said: Zoll haus am Main"))
    client = call(harness, ASKED)
    assert client.data == b"said: Zoll haus am Main | 2 4"
    assert (harness.record.usage.input, harness.record.usage.output, harness.record.usage_source) == (2, 4, "counted")
    assert harness.counter.held == 0


def test_a_call_that_costs_too_much_is_held_for_and_refused(formats: ModuleType) -> None:
    harness = harness_of(formats, buffered(b"said: Zoll"))
    harness.counter.limit = 1
    failure, body = refused(harness, ASKED)
    assert failure.code == "insufficient_quota"
    assert body.startswith(b"failed: ")
    assert not harness.first.calls


def test_a_request_that_is_none_is_refused_in_its_own_words(formats: ModuleType) -> None:
    harness = harness_of(formats, buffered(b"said: Zoll"))
    failure, body = refused(harness, b"hello")
    assert isinstance(failure, BadRequest)
    assert failure.param == "say"
    assert body == b"failed: Write `MODEL say: TEXT`."
    assert harness.record.charge is None


def test_a_stream_goes_on_as_it_comes_and_its_end_waits_for_the_charge(formats: ModuleType) -> None:
    harness = harness_of(formats, streaming(b"+Zoll ", b"\n+haus\n", b"| 60 12\n"))
    client = call(harness, STREAMED)
    assert bytes(harness.first.calls[0].body) == b"up-one stream: hi there"
    assert client.header(b"content-type") == b"text/x-lines"
    assert (client.parts, client.ended) == ([b"+Zoll \n+haus\n", b"| 60 12\n"], True)
    assert harness.record.charge is not None
    assert harness.record.charge.amount == harness.counter.spent == 60 * 2_500 + 12 * 10_000


def test_a_stream_that_breaks_ends_in_an_event_of_its_format_and_is_charged_as_far_as_it_came(
    formats: ModuleType,
) -> None:
    harness = harness_of(formats, streaming(b"+Zoll haus\n", b"+am"))
    client = call(harness, STREAMED)
    assert client.broken_off
    first, last = client.parts
    assert first == b"+Zoll haus\n"
    assert last.startswith(b"failed: ")
    assert (harness.record.usage.output, harness.record.ending) == (2, "failed_after_first_byte")
    assert harness.counter.held == 0


@pytest.mark.parametrize("figures", [" | 60 12", ""])
def test_a_provider_may_answer_in_the_other_form(formats: ModuleType, figures: str) -> None:
    said = f"said: Zoll haus{figures}".encode()
    harness = harness_of(formats, buffered(said))
    end = b"| 60 12" if figures else b"| 2 2"
    assert call(harness, STREAMED).data == b"+Zoll haus\n" + end + b"\n"
    harness = harness_of(formats, streaming(line_format.unfold(said)))
    assert call(harness, ASKED).data == b"said: Zoll haus " + end


def test_a_stream_where_an_operation_has_none_is_a_failure_of_the_provider(formats: ModuleType) -> None:
    harness = harness_of(formats, streaming(b"+Zoll\n", b"|\n"))
    harness.second.plays = harness.first.plays
    harness.gateway.codecs = {LINE: structs.replace(codecs_in(formats)[LINE], streams=None)}
    failure, _ = refused(harness, ASKED)
    assert isinstance(failure, UpstreamError)
    assert (harness.record.charge, harness.counter.held) == (None, 0)


@pytest.mark.parametrize("play", [buffered(answer()), streaming(word("Zoll")), ScriptedResponse(headers=STREAMS)])
def test_an_answer_in_another_format_is_a_failure_of_the_provider(formats: ModuleType, play: ScriptedResponse) -> None:
    harness = harness_of(formats, play)
    harness.second.plays = [play]
    failure, body = refused(harness, ASKED)
    assert isinstance(failure, UpstreamError | UpstreamBroke)
    assert body.startswith(b"failed: ")
    assert (harness.record.charge, harness.counter.spent, harness.counter.held) == (None, 0, 0)


def test_a_large_request_and_a_large_answer_are_read_apart(formats: ModuleType) -> None:
    text = b"Zoll " * (APART_BYTES // 4)
    harness = GatewayHarness(
        first=FakeUpstream(buffered(b"said: " + text + b"| 9 9")), model={"context_tokens": 9_000_000}
    )
    harness.gateway.codecs = codecs_in(formats)
    client = call(harness, b"house-1 say: " + text)
    assert harness.record.usage.input == 9
    assert client.data == b"said: " + text + b"| 9 9"
