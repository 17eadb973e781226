"""Answers that are given before any application is asked: whole, with their own request id, and always the last one."""

from tollhouse.core.clock import Clock
from tollhouse.core.failure import Failure
from tollhouse.core.ids import RANDOM_BYTES, make_id
from tollhouse.core.randomness import Randomness
from tollhouse.core.upstream import Headers
from tollhouse.edge import cors
from tollhouse.edge.paths import dialect_of
from tollhouse.edge.reply import headers_of
from tollhouse.edge.status_lines import STATUS_LINES
from tollhouse.formats import dialects


class RefusalWriter:
    """Turns a failure into the bytes of an answer after which the connection closes."""

    def __init__(self, clock: Clock, random: Randomness) -> None:
        self._clock = clock
        self._random = random

    def write(self, failure: Failure, path: str, date: bytes, *, with_body: bool = True) -> bytes:
        """In the dialect of `path`; in openai's where no path was understood (empty). `date`: a whole header line."""
        request_id = make_id("req", self._clock.now_ms(), self._random.bytes(RANDOM_BYTES))
        spec = dialects()[dialect_of(path)]
        body = spec.error_body(failure, request_id)
        headers: Headers = [*headers_of(failure), *cors.always(request_id), (b"content-length", b"%d" % len(body))]
        lines = b"".join([b"\r\n%b: %b" % header for header in headers])
        head = STATUS_LINES[spec.error_status(failure)] + lines + date + b"\r\nconnection: close\r\n\r\n"
        return head + body if with_body else head
