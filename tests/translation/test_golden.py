"""Every golden case of a translation (`golden_case`): what is sent, what the caller gets, what is charged.

`scripts/write_golden.py` writes the expected files anew; read what it changed before it is kept.
"""

from pathlib import Path

import pytest

from tests.translation.golden_case import EXPECTED, GIVEN, GoldenCase, cases, sealed, written
from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.failure import Failure
from tollhouse.core.reply import ReplyEvent, UsageTold

CASES = list(cases())
STREAMS = [case for case in CASES if (case / "upstream_answer.sse").exists() and (case / "outbound.sse").exists()]
WHOLE = [case for case in STREAMS if (case / "usage.json").exists()]
PIECE_BYTES = 7


def name_of(case: Path) -> str:
    return f"{case.parent.name}/{case.name}"


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_what_comes_of_a_case_is_what_its_files_say(case: Path) -> None:
    made = {name: written(name, content) for name, content in GoldenCase(case).expected().items()}
    assert {name: (case / name).read_bytes() for name in EXPECTED if (case / name).exists()} == made
    assert {one.name for one in case.iterdir()} <= GIVEN | EXPECTED


@pytest.mark.parametrize("case", WHOLE, ids=name_of)
def test_a_stream_is_the_same_however_it_is_cut(case: Path) -> None:
    golden = GoldenCase(case)
    relay = golden.opened()
    out = golden.relayed(golden.answer.read_bytes(), PIECE_BYTES, relay=relay)
    assert out + sealed(relay) == (case / "outbound.sse").read_bytes()


@pytest.mark.parametrize("case", STREAMS, ids=name_of)
def test_a_stream_that_breaks_between_events_never_looks_whole(case: Path) -> None:
    """Where it is taken for whole, all that was said is there: only usage, or the mark of the end, may be missing."""
    golden = GoldenCase(case)
    stream = golden.answer.read_bytes()
    events = stream.split(b"\n\n")
    for number in range(len(events)):
        begun = b"".join(event + b"\n\n" for event in events[:number])
        try:
            golden.relayed(begun, relay=golden.opened())
        except Failure:
            continue
        assert said(golden, begun) == said(golden, stream)


def said(golden: GoldenCase, stream: bytes) -> list[ReplyEvent]:
    """What a stream says in core words, but for its usage."""
    assert golden.outbound.words is not None
    reader = golden.outbound.words.read_stream(NOTHING_KNOWN)
    events = reader.feed(stream)
    if not reader.is_complete:
        events += reader.finish()
    return [event for event in events if not isinstance(event, UsageTold)]


EVENT_KINDS = (
    *("openai_chat/thinking_first_turn_stream", "openai_chat/openrouter_thoughts_stream"),
    *("openai_chat/parallel_tools_stream", "openai_chat/refusal_stream", "openai_chat/probabilities_stream"),
    *("openai_responses/thinking_first_turn_stream", "openai_responses/parallel_tools_stream"),
    *("openai_responses/custom_tool_stream", "openai_responses/refusal_stream", "openai_responses/cited_pages_stream"),
    *("openai_responses/cut_at_its_length_stream", "anthropic_messages/codex_second_turn"),
    *("anthropic_messages/hidden_thoughts", "gemini_content/thinking_stream", "gemini_content/tools_stream"),
)
"""A stream, by its provider and name, of each kind of event."""
OF_EVENT_KINDS = [case for case in WHOLE if f"{case.parent.name.partition('--')[2]}/{case.name}" in EVENT_KINDS]
STRIDE_BYTES = 41


def cut_at(case: Path, places: range) -> None:
    golden = GoldenCase(case)
    stream = golden.answer.read_bytes()
    whole = said(golden, stream)
    for at in places:
        try:
            golden.relayed(stream[:at], relay=golden.opened())
        except Failure:
            continue
        assert said(golden, stream[:at]) == whole


@pytest.mark.parametrize("case", OF_EVENT_KINDS, ids=name_of)
def test_a_stream_of_each_kind_of_event_is_cut_in_the_middle_of_them(case: Path) -> None:
    cut_at(case, range(0, (case / "upstream_answer.sse").stat().st_size, STRIDE_BYTES))


@pytest.mark.long
@pytest.mark.parametrize("case", OF_EVENT_KINDS, ids=name_of)
def test_a_stream_of_each_kind_of_event_is_cut_at_every_byte(case: Path) -> None:
    cut_at(case, range((case / "upstream_answer.sse").stat().st_size))


def test_each_kind_of_event_has_its_stream() -> None:
    found = {f"{case.parent.name.partition('--')[2]}/{case.name}" for case in OF_EVENT_KINDS}
    assert found == set(EVENT_KINDS)
