"""A golden case of a translation: a folder of files, of which the given ones make the expected ones.

Given: `inbound.json`, the body of a caller; `upstream_answer.json` or `.sse`, what a provider answers; `call.json`,
where the path or the gateway says more. Expected: `upstream_request.json`; `outbound.json` or `.sse`; `dropped.json`,
the members that the provider's format cannot say; `refused.json` in place of all these; `usage.json`, what is charged
for. The folder lies in one that names both formats: `openai_chat--anthropic_messages`.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from tollhouse.core.cleaning import NOTHING_KNOWN
from tollhouse.core.codec import Codec, RelayedStream
from tollhouse.core.conversation import stand_ins
from tollhouse.core.failure import Failure
from tollhouse.core.model_request import ModelRequest
from tollhouse.core.translation import translated
from tollhouse.core.usage import Usage
from tollhouse.core.words import AnswerContext
from tollhouse.formats import codecs

GOLDEN: Final = Path(__file__).parent / "golden"
GIVEN: Final = frozenset(("inbound.json", "upstream_answer.json", "upstream_answer.sse", "call.json"))
EXPECTED: Final = frozenset(
    ("upstream_request.json", "outbound.json", "outbound.sse", "dropped.json", "refused.json", "usage.json")
)
REQUEST_ID: Final = "req_golden"
CREATED: Final = 1_790_000_000


class CallOptions(Struct, forbid_unknown_fields=True):
    """What the path or the gateway says beside the body. stream: of Gemini's, whether a stream is asked for. model:
    likewise. added_cap: tokens. caps: the names by which the provider reads a cap."""

    stream: bool | None = None
    model: str = ""
    added_cap: int | None = None
    caps: tuple[str, ...] = ()


def cases() -> Iterator[Path]:
    return (folder for folder in sorted(GOLDEN.glob("*/*")) if folder.is_dir())


def codec_of(wire: str) -> Codec:
    return next(codec for codec in codecs().values() if codec.wire == wire)


class GoldenCase:
    """A case with its codec, made of the files that are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        asked, _, outbound = folder.parent.name.partition("--")
        self.asked, self.outbound = codec_of(asked), codec_of(outbound)
        options = folder / "call.json"
        self.options = (
            msgspec.json.decode(options.read_bytes(), type=CallOptions) if options.exists() else CallOptions()
        )
        self.request = self._request()
        context = AnswerContext(request_id=REQUEST_ID, created=CREATED, request=self.request)
        self.codec = translated(self.asked, self.outbound, self.asked, context)

    def _request(self) -> ModelRequest:
        request = self.asked.read((self.folder / "inbound.json").read_bytes())
        request.model = self.options.model or request.model or "house-1"
        if self.options.stream is not None:
            request.stream = self.options.stream
        assert self.asked.words is not None
        with suppress(Failure):  # as of a case that is refused
            request.stand_ins = stand_ins(self.asked.words.read_request(request))
        return request

    @property
    def answer(self) -> Path:
        streamed = self.folder / "upstream_answer.sse"
        return streamed if streamed.exists() else self.folder / "upstream_answer.json"

    def expected(self) -> dict[str, bytes]:
        """The files that are expected, by their names."""
        try:
            sent = self.codec.write(
                self.request,
                model="up-house",
                stream=self.answer.suffix == ".sse",
                include_usage=True,
                caps=self.options.caps,
                added_cap=self.options.added_cap,
            )
        except Failure as failure:
            return {"refused.json": self.asked.error_body(failure, REQUEST_ID)}
        found = {"upstream_request.json": b"".join(map(bytes, sent))}
        if self.request.untold:
            found["dropped.json"] = msgspec.json.encode(self.request.untold)
        if self.answer.exists():
            found |= self._answered()
        return found

    def _answered(self) -> dict[str, bytes]:
        body = self.answer.read_bytes()
        relay = self.opened() if self.request.stream else None
        try:
            if relay is not None:
                out = self.relayed(body, relay=relay)
                return {"outbound.sse": out + sealed(relay)} | _charged(relay.usage)
            out, usage = self.buffered(body)
        except Failure as failure:
            return self._failed(failure, body, relay)
        return {"outbound.json": out} | _charged(usage)

    def _failed(self, failure: Failure, body: bytes, relay: RelayedStream | None) -> dict[str, bytes]:
        """Before the first byte a failure is a body, after it an event."""
        assert self.codec.streams is not None
        before = b""
        if relay is not None and self.answer.suffix == ".sse":
            relay = self.opened()
            before = relay.feed(body)
        if relay is None or not before:
            return {"outbound.json": self.asked.error_body(failure, REQUEST_ID)}
        return {"outbound.sse": before + self.codec.streams.error_event(failure, REQUEST_ID, relay.sequence_number)}

    def buffered(self, body: bytes) -> tuple[bytes, Usage | None]:
        """The answer of a caller who asked for no stream. Raises what reading it raises."""
        if self.answer.suffix == ".sse":
            assert self.codec.streams is not None
            gathered = self.codec.streams.gather(self.request.choices, count=len, known=NOTHING_KNOWN)
            gathered.feed(body)
            return gathered.finish(), gathered.usage
        summary = self.codec.read_response(body, NOTHING_KNOWN)
        return summary.mended or body, summary.usage

    def relayed(self, body: bytes, piece: int = 0, *, relay: RelayedStream) -> bytes:
        """What goes on of a stream, but for its last part. piece: bytes of a read; 0: all of them in one. Raises what
        reading it raises."""
        if self.answer.suffix == ".json":
            self.codec.read_response(body, NOTHING_KNOWN)
            assert self.codec.streams is not None
            body = self.codec.streams.unfold(body)
        step = piece or max(1, len(body))
        out = b"".join(relay.feed(body[at : at + step]) for at in range(0, len(body), step))
        if relay.failure is not None:
            raise relay.failure
        if not relay.is_complete:
            relay.finish()
        return out

    def opened(self) -> RelayedStream:
        assert self.codec.streams is not None
        return self.codec.streams.relay(
            show_usage=self.request.wants_usage, count=len, choices=self.request.choices, known=NOTHING_KNOWN
        )


def sealed(relay: RelayedStream) -> bytes:
    return relay.seal("0.000001", REQUEST_ID)


def _charged(usage: Usage | None) -> dict[str, bytes]:
    return {} if usage is None else {"usage.json": msgspec.json.encode(usage)}


def written(name: str, content: bytes) -> bytes:
    """A file as it lies in the folder: JSON in lines, to be read by people."""
    return msgspec.json.format(content, indent=1) + b"\n" if name.endswith(".json") else content


def decoded(content: bytes) -> Any:
    return msgspec.json.decode(content)
