"""The streams of chat, completions and responses, opened to be relayed."""

from collections.abc import Callable

from tollhouse.core.cleaning import NOTHING_KNOWN, Known
from tollhouse.core.operation import Operation
from tollhouse.core.stream_relay import StreamRelay
from tollhouse.formats.openai.chat_stream import ChatStream
from tollhouse.formats.openai.response_stream import ResponseStream


def events_of(
    operation: Operation,
    *,
    show_usage: bool = False,
    choices: int = 1,
    cuts: bool = False,
    known: Known = NOTHING_KNOWN,
    echoes: bool = False,
) -> ChatStream | ResponseStream:
    """What reads the events of an operation. cuts: its answer may have to be cut. known, echoes: see `ChatStream`."""
    if operation == "responses":
        return ResponseStream(cuts, known)
    return ChatStream(show_usage, choices, is_chat=operation == "chat", known=known, echoes=echoes)


def open_stream(
    operation: Operation,
    *,
    show_usage: bool,
    count: Callable[[str], int],
    choices: int = 1,
    maximum: int | None = None,
    known: Known = NOTHING_KNOWN,
    echoes: bool = False,
) -> StreamRelay:
    """See `core.codec.OpenRelay`."""
    events = events_of(
        operation, show_usage=show_usage, choices=choices, cuts=maximum is not None, known=known, echoes=echoes
    )
    return StreamRelay(events, count=count, maximum=maximum, learns=operation != "responses" and not echoes)
