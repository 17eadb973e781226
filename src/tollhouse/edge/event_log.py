"""The log: a line an event, one of them a request. Never a secret, never content.

What may stand in a line is named here field by field; nothing is dumped whole, so nothing can slip in.
"""

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from tollhouse.core.clock import Clock
from tollhouse.core.notice import QueuedDelivery
from tollhouse.core.usage_record import FailureDetail, UsageRecord
from tollhouse.edge.log import LogWriter
from tollhouse.edge.log_bounds import LineBounds
from tollhouse.limits.addresses import network_of


class LogFile:
    """Where `[server] log` leads, unbuffered: people may watch."""

    def __init__(self, name: str, folder: Path) -> None:
        self._path = None if name == "stderr" else folder / name
        self._file = self._open()
        self.is_terminal = self._path is None and self._file.isatty()

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def flush(self) -> None:
        """Nothing waits."""

    def reopen(self) -> None:
        """After the file was renamed: go on in a new one of its name. Raises OSError, and goes on in the old one."""
        if self._path is not None:
            old, self._file = self._file, self._open()
            old.close()

    def close(self) -> None:
        self._file.close()

    def _open(self) -> FileIO:
        if self._path is None:
            return open(sys.stderr.fileno(), "wb", buffering=0, closefd=False)
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return open(file, "ab", buffering=0)


def open_log(out: LogFile | BinaryIO, clock: Clock) -> LogWriter:
    """Lines of JSON, their time in UTC; on a terminal readable ones, with colours unless NO_COLOR is set."""
    if not (isinstance(out, LogFile) and out.is_terminal):
        return LogWriter(out, clock)
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "") in ("", "dumb")
    return LogWriter(out, clock, colours=not plain)


class LogLine(Struct, omit_defaults=False):
    """One request, as it is logged."""

    timestamp: str
    level: str
    event: str
    request_id: str
    account_id: str
    key_id: str
    mode: str
    operation: str
    dialect: str
    model: str
    provider: str | None
    attempts: int
    stream: bool
    status: int
    error: str | None
    ending: str
    client: str
    first_byte_ms: int | None
    last_byte_ms: int | None
    tokens_in: int
    tokens_out: int
    usage_source: str
    detail: FailureDetail | None


class EventLog:
    """What the platform tells its operator."""

    def __init__(self, log: LogWriter, out: LogFile | BinaryIO) -> None:
        self._log = log
        self._out = out
        self._bounds = LineBounds()

    def write(self, records: Iterable[UsageRecord]) -> None:
        """A line for each call that ended; of refused ones no more than there is room for."""
        lines = []
        for record in records:
            if record.ending != "refused" or self._has_room(record.account_id, record.time_ms):
                lines.append(self._log.render(_line(record)))
        if lines:
            lines.append(b"")
            self._out.write(b"\n".join(lines))

    def refused(self, record: UsageRecord) -> None:
        """A call that never had an identity."""
        detail = record.detail or FailureDetail()
        if not self._has_room(network_of(detail.address) or detail.address, record.time_ms):
            return
        self._log.info(
            "refused",
            request_id=record.id,
            operation=record.operation,
            dialect=record.dialect,
            status=record.status,
            error=record.error,
            message=detail.message,
            address=detail.address,
        )

    def troubled(self, request_id: str, provider: str, model: str, words: str) -> None:
        """A provider failed; `words` are its own, without keys, of a failure that is not about the request."""
        self._log.warning(
            "provider_trouble", request_id=request_id, provider=provider, upstream_model=model, words=words
        )

    def _has_room(self, who: str, now_ms: int) -> bool:
        """Whether the log takes one more line of a refused call."""
        if left_out := self._bounds.left_out(now_ms):
            self._log.warning("left_out", lines=left_out)
        return self._bounds.admit(who, now_ms)

    def defect(self, request_id: str, error: BaseException) -> None:
        """An exception nobody expected: its kind and where it came from, without its text, which may quote a body."""
        at = error.__traceback__
        places = []
        while at is not None:
            places.append(f"{at.tb_frame.f_code.co_filename.rpartition('tollhouse/')[2]}:{at.tb_lineno}")
            at = at.tb_next
        self._log.error("defect", request_id=request_id, kind=type(error).__name__, trace=places[-12:])

    def tried(self, queued: QueuedDelivery) -> None:
        """A notice was tried on one of its ways. Not where it went: an address may hold a secret."""
        delivery = queued.delivery
        self._log.info(
            "alert",
            id=delivery.id,
            type=queued.notice.type,
            account_id=queued.notice.account_id,
            channel=delivery.channel,
            state=delivery.state,
            attempts=delivery.attempts,
        )

    def reopen(self) -> None:
        """At SIGHUP: the log's file may have been renamed."""
        if isinstance(self._out, LogFile):
            try:
                self._out.reopen()
            except OSError as error:
                self._log.warning("log_not_reopened", reason=error.strerror)
                return
            self._log.info("log_reopened")

    def event(self, name: str, **facts: object) -> None:
        """Something of the process itself: started, draining, configuration applied."""
        self._log.info(name, **facts)


def _line(record: UsageRecord) -> LogLine:
    usage = record.usage
    seconds, milliseconds = divmod(record.time_ms, 1000)
    return LogLine(
        f"{_second(seconds)}.{milliseconds:03d}Z",
        "info",
        "request",
        record.id,
        record.account_id,
        record.key_id,
        record.mode,
        record.operation,
        record.dialect,
        record.model,
        record.provider,
        len(record.attempts),
        record.stream,
        record.status,
        record.error,
        record.ending,
        record.client,
        record.first_byte_ms,
        record.last_byte_ms,
        usage.tokens_in(),
        usage.tokens_out(),
        record.usage_source,
        record.detail,
    )


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
