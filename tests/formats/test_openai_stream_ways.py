"""The fast way through a stream does exactly what reading event by event does."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.failure import Failure
from tollhouse.core.sse import Splitter
from tollhouse.core.template import learn
from tollhouse.formats.openai.aggregate import Aggregate
from tollhouse.formats.openai.chat_stream import ChatStream
from tollhouse.formats.openai.chunk import decode
from tollhouse.formats.openai.stream import open_stream

StreamOutcome = tuple[bytes, bytes, object, int, type[Failure] | None]


def units(text: str) -> int:
    """UTF-16 units: two halves of a surrogate pair count the same, met or apart."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def one_by_one(stream: bytes, show_usage: bool) -> StreamOutcome:
    """The plain way: every event decoded, no template, no cuts."""
    chat, splitter = ChatStream(show_usage), Splitter()
    out, opening, tokens, started, whole = b"", b"", 0, False, False
    failure: type[Failure] | None = None
    try:
        for event in (*splitter.feed(stream), *splitter.finish()):
            step = chat.take(event)
            if step.is_end:
                whole = True
                break
            started = started or step.bears_content
            tokens += units(step.text)
            opening += step.out
            if started:
                out, opening = out + opening, b""
        whole = whole or chat.complete
    except Failure as trouble:
        failure = type(trouble)
    if failure is None and not whole:
        failure = Failure
    return out, chat.closing() if failure is None else b"", chat.reported, tokens, failure


def as_it_comes(pieces: list[bytes], show_usage: bool) -> StreamOutcome:
    reader = open_stream("chat", show_usage=show_usage, count=units)
    out = b"".join([reader.feed(piece) for piece in pieces])
    broken = reader.failure is not None
    try:
        reader.finish()
    except Failure as trouble:
        failure: type[Failure] | None = type(trouble) if broken else Failure
    else:
        failure = None
    # What only the end of the stream brings to light is held back with the last part.
    closing = reader.held
    reported = None if reader.raw_usage is None else json.loads(reader.raw_usage)
    return out, closing, reported, reader.delivered_tokens(), failure


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['"', "\\", '"}}]}\n\ndata: ', '"usage":{', "[DONE]", "usage", "\n", "\r\n", "\x00", "税关", "🛃", "content"]
)


UPSTREAMS: dict[str, object] = {"provider": "Nimbus"}


@st.composite
def events(draw: st.DrawFn) -> bytes:
    text = draw(TEXTS)
    delta: dict[str, object] = draw(
        st.sampled_from(
            [
                {"content": text},
                {"content": text},
                {"content": text},
                {"role": "assistant", "content": text},
                {"reasoning_content": text},
                {"tool_calls": [{"index": 0, "function": {"arguments": text}}]},
                {},
            ]
        )
    )
    finish = draw(st.sampled_from([None] * 9 + ["stop", "length"]))
    choice = {"index": draw(st.sampled_from([0, 0, 0, 1])), "delta": delta, "finish_reason": finish}
    usage = {"prompt_tokens": 3, "completion_tokens": draw(st.integers(0, 9))}
    extra: dict[str, object] = draw(
        st.sampled_from(
            [{}] * 8
            + [
                {"usage": None},
                {"usage": usage},
                {"obfuscation": text},
                {"provider": "Nimbus"},
                {"error": {"code": 500}},
            ]
        )
    )
    chunk = {"id": "c", "model": "m", "choices": draw(st.sampled_from([[choice]] * 9 + [[]])), **extra}
    data = json.dumps(chunk, ensure_ascii=draw(st.booleans()), separators=(",", ":")).encode()
    form = draw(st.sampled_from([b"data: %b\n\n"] * 9 + [b"data:%b\n\n", b"data: %b\r\n\r\n", b": hm\n\ndata: %b\n\n"]))
    whole = form % data
    if draw(st.integers(0, 30)) == 0:  # a byte lost or changed on the way
        at = draw(st.integers(0, len(whole) - 1))
        whole = whole[:at] + draw(st.sampled_from([b"", b"\xff", b'"', b"\\", b"\n", b"\x00"])) + whole[at + 1 :]
    return draw(st.sampled_from([whole] * 20 + [b"data: [DONE]\n\n"]))


STREAMS = st.lists(events(), max_size=12).map(b"".join)
HEAD = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"'
TAIL = b'"},"finish_reason":null}]}\n\n'
WHOLE = st.sampled_from(
    [b"word", b" ", "税".encode(), b"\\n", b'\\"', b"\\\\", b"\\u00e9", b"\\ud83d", b"\\ude00", b"\x7f"]
)
BROKEN = st.sampled_from(
    [b'"', b"\\", b"\\x", b"\\u12", b"\n", b"\r", b"\x00", b"\xff", b"\xc3", b"\xbc", TAIL, HEAD, TAIL + HEAD]
)
GOOD_TEXT = st.lists(WHOLE, max_size=4).map(b"".join)
BAD_TEXT = st.lists(WHOLE | BROKEN, min_size=1, max_size=4).map(b"".join)


@st.composite
def alike(draw: st.DrawFn) -> bytes:
    """Events that differ in one text, and at times one among them that differs in more."""
    texts = draw(st.lists(GOOD_TEXT, min_size=1, max_size=12))
    odd = draw(st.integers(0, len(texts) - 1))
    if draw(st.booleans()):
        texts[odd] = draw(BAD_TEXT)
    head = HEAD.replace(b'"c"', b'"c","provider":"Nimbus"') if draw(st.booleans()) else HEAD
    events = [head + text + TAIL for text in texts]
    before, after = draw(st.sampled_from([(b"", b"")] * 3 + [(b'"index":0', b'"index":1'), (b"null", b'"ab"')]))
    events[odd] = events[odd].replace(before, after)
    return b"".join(events)


@given(alike())
def test_a_template_takes_only_what_reads_alike(block: bytes) -> None:
    template = learn(HEAD + b"x" + TAIL, "x")
    assert template == (HEAD, TAIL, TAIL + HEAD)
    texts = template.texts(block)
    if texts is None:
        return
    read = [decode(event.data) for event in Splitter().feed(block)]
    said = [json.loads(b'"' + text + b'"') for text in texts.split(b"\n")]
    assert read == [
        {"id": "c", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in said
    ]


@given(st.lists(GOOD_TEXT, min_size=1))
def test_a_template_takes_all_that_is_alike(texts: list[bytes]) -> None:
    template = learn(HEAD + b"x" + TAIL, "x")
    assert template is not None
    assert template.texts(b"".join([HEAD + text + TAIL for text in texts])) == b"\n".join(texts)


@given(st.lists(alike() | STREAMS, max_size=4).map(b"".join), st.lists(st.integers(0, 4000)), st.booleans())
def test_fast_and_exact_agree(stream: bytes, locations: list[int], show_usage: bool) -> None:
    whole, end, _ = stream.partition(b"data: [DONE]\n\n")
    stream = whole + end  # what comes behind it is read only where it comes at once
    edges = sorted({0, len(stream), *(location for location in locations if location < len(stream))})
    pieces = [stream[start:stop] for start, stop in pairwise(edges)]
    out, closing, *known = one_by_one(stream, show_usage)
    fast_out, fast_closing, *fast_known = as_it_comes(pieces, show_usage)
    assert fast_out + fast_closing == out + closing or known[-1] is Failure
    assert fast_known == known
    assert (out + closing).startswith(fast_out)


@given(st.lists(st.binary() | STREAMS, max_size=6))
def test_no_bytes_break_the_reader(pieces: list[bytes]) -> None:
    for operation in ("chat", "completions", "responses"):
        as_it_comes(pieces, show_usage=True)
        reader = open_stream(operation, show_usage=True, count=len)
        gathered = Aggregate(operation)
        for piece in pieces:
            reader.feed(piece)
        try:
            reader.finish()
        except Failure:
            assert reader.held == b""
        try:
            for piece in pieces:
                gathered.feed(piece)
            json.loads(gathered.finish())
        except Failure:
            assert not reader.is_complete or operation == "responses"
