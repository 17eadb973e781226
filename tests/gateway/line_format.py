"""A wire format of lines, as a fake of the codec port: `MODEL say: TEXT` asks, `said: TEXT | INPUT OUTPUT` answers.
`MODEL stream: TEXT` asks for a stream: lines of `+TEXT`, then a line of `| INPUT OUTPUT`.

A format is one file: `test_codecs.py` copies this one into a package of its own, where it is found.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Raw

from tollhouse.core.cleaning import Known
from tollhouse.core.codec import Codec, CountTokens, ResponseSummary, StreamCodec
from tollhouse.core.dialect import DialectSpec
from tollhouse.core.entry import ModelEntry
from tollhouse.core.failure import BadRequest, Failure, UpstreamBroke, UpstreamError
from tollhouse.core.limit_status import LimitStatus
from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt
from tollhouse.core.text_start import TextStarts
from tollhouse.core.upstream import Buffer
from tollhouse.core.usage import Usage


def read(body: bytes) -> ModelRequest:
    model, verb, text = body.partition(b": ")
    name, _, verb = model.rpartition(b" ")
    if not text or verb not in (b"say", b"stream"):
        raise BadRequest("Write `MODEL say: TEXT`.", param="say")
    members, stream = {"say": Raw(text)}, verb == b"stream"
    return ModelRequest(operation="chat", members=members, model=name.decode(), stream=stream, length=len(body))


def input_bounds(request: ModelRequest) -> InputBounds:
    return InputBounds(bytes=request.length)


def prompt_of(request: ModelRequest, bounds: InputBounds) -> Prompt:
    return Prompt(bytes(request.members["say"]).decode(), 0)


def stands_in(request: ModelRequest, text: str) -> bool:
    return text.encode() in bytes(request.members.get("say", b""))


def write(
    request: ModelRequest,
    /,
    *,
    model: str,
    stream: bool,
    include_usage: bool,
    caps: tuple[str, ...] = (),
    others: bool = True,
    added_cap: int | None = None,
) -> list[Buffer]:
    return [model.encode() + (b" stream: " if stream else b" say: ") + bytes(request.members["say"])]


def read_usage(figures: bytes) -> Usage:
    given, made = map(int, figures.split())
    return Usage(input=given, output=made)


def read_response(body: bytes, known: Known) -> ResponseSummary:
    start, _, text = body.partition(b"said: ")
    if start or not text:
        raise UpstreamError("The provider answered with no line.")
    _, reported, figures = text.partition(b" | ")
    return ResponseSummary(
        usage=read_usage(figures) if reported else None, raw_usage=figures or None, finish=None, incomplete=False
    )


def response_text(body: bytes) -> tuple[str, Usage]:
    return body.removeprefix(b"said: ").partition(b" | ")[0].decode(), Usage()


def with_usage(body: bytes, usage: Usage) -> bytes:
    return b"%b | %d %d" % (body.partition(b" | ")[0], usage.input, usage.output)


def fit(body: bytes, known: Known) -> bytes:
    return body


def unfold(body: bytes) -> bytes:
    text, reported, figures = body.removeprefix(b"said: ").partition(b" | ")
    return b"+%b\n| %b\n" % (text, figures) if reported else b"+%b\n|\n" % text


def error_status(failure: Failure) -> int:
    return failure.status


def error_body(failure: Failure, request_id: str) -> bytes:
    return f"failed: {failure.public_message(request_id)}".encode()


def error_event(failure: Failure, request_id: str, sequence_number: int) -> bytes:
    return error_body(failure, request_id) + b"\n"


class LineStream:
    """See `core.codec.RelayedStream`."""

    def __init__(
        self,
        *,
        show_usage: bool,
        count: CountTokens,
        choices: int = 1,
        maximum: int | None = None,
        known: Known,
        echoes: bool = False,
    ) -> None:
        self._count = count
        self._rest = b""
        self.text = b""
        self.end = b""
        self.failure: Failure | None = None
        self.heads: TextStarts = {}
        self.is_complete = self.cut = self.lacks_report = self.incomplete = self.failed = False
        self.sequence_number = 0

    def feed(self, data: bytes) -> bytes:
        *lines, self._rest = (self._rest + data).split(b"\n")
        out = b""
        for line in lines:
            if line.startswith(b"+"):
                self.text += line[1:]
                out += line + b"\n"
            elif line.startswith(b"|"):
                self.end, self.is_complete = line, True
            else:
                self.failure = UpstreamBroke("The provider sent something that is no line of a stream.")
        return out

    def finish(self) -> None:
        if not self.is_complete and self.failure is None:
            self.failure = UpstreamBroke("The provider's stream ended before the answer was finished.")
        if self.failure is not None:
            raise self.failure

    def feed_late(self, data: bytes) -> None: ...

    def seal(
        self, charge_usd: str, request_id: str, cap_reason: str | None = None, counted: Usage | None = None
    ) -> bytes:
        return (self.end if counted is None else b"| %d %d" % (counted.input, counted.output)) + b"\n"

    def delivered(self) -> Usage:
        return Usage(output=self._count(self.text.decode()))

    @property
    def pending(self) -> int:
        return len(self._rest)

    @property
    def uncounted(self) -> int:
        return len(self.text)

    @property
    def finishing(self) -> bool:
        return self.is_complete

    @property
    def raw_usage(self) -> bytes | None:
        return self.end[2:] or None

    @property
    def usage(self) -> Usage | None:
        return read_usage(self.end[2:]) if self.end[2:] else None


class LineGathering:
    """See `core.codec.GatheredStream`."""

    cut = False

    def __init__(self, choices: int = 1, *, count: CountTokens, maximum: int | None = None, known: Known) -> None:
        self._stream = LineStream(show_usage=True, count=count, known=known)

    @property
    def is_complete(self) -> bool:
        return self._stream.is_complete

    @property
    def pending(self) -> int:
        return self._stream.pending

    @property
    def usage(self) -> Usage | None:
        return self._stream.usage

    @property
    def raw_usage(self) -> bytes | None:
        return self._stream.raw_usage

    def feed(self, data: bytes) -> None:
        self._stream.feed(data)
        if self._stream.failure is not None:
            raise self._stream.failure

    def finish(self) -> bytes:
        self._stream.finish()
        return b"said: " + self._stream.text + (b" " + self._stream.end if self._stream.usage else b"")


def limit_headers(status: LimitStatus, what: str, now_ms: int) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"line-left", b"%d %b" % (status.remaining, what.encode())),)


def models(entries: Sequence[ModelEntry]) -> bytes:
    return b"".join(map(model, entries))


def model(entry: ModelEntry) -> bytes:
    return b"%b\n" % entry.id.encode()


DIALECT: Final = DialectSpec(
    name="line",
    error_status=error_status,
    error_body=error_body,
    models=models,
    model=model,
    limit_headers=limit_headers,
    prefixes=("/line/",),
)
CODECS: Final = (
    Codec(
        format="line",
        operation="chat",
        wire="openai_chat",
        generates=True,
        read=read,
        input_bounds=input_bounds,
        prompt_of=prompt_of,
        stands_in=stands_in,
        write=write,
        read_response=read_response,
        response_text=response_text,
        with_usage=with_usage,
        fit=fit,
        error_status=error_status,
        error_body=error_body,
        limit_headers=limit_headers,
        content_type=b"text/plain",
        streams=StreamCodec(
            relay=LineStream,
            gather=LineGathering,
            unfold=unfold,
            error_event=error_event,
            keepalive=b"\n",
            content_type=b"text/x-lines",
        ),
    ),
)
