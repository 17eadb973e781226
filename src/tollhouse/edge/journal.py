"""The log: JSON lines, one a request, through structlog. Never a secret, never content.

What may stand in a line is named here field by field; nothing is dumped whole, so nothing can slip in.
"""

from typing import Any, BinaryIO

import msgspec
import structlog

from tollhouse.core.request import Request
from tollhouse.gateway.client import Call

_encode = msgspec.json.Encoder().encode


def open_log(out: BinaryIO) -> Any:
    """A logger that writes one JSON line an event to `out`, time first (UTC, ISO 8601)."""
    return structlog.wrap_logger(
        structlog.BytesLogger(out),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=lambda event, **_: _encode(event)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        cache_logger_on_first_use=True,
    )


class Journal:
    def __init__(self, log: Any) -> None:
        self._log = log

    def saw(self, record: Request) -> None:
        usage = record.usage
        self._log.info(
            "request",
            request_id=record.id,
            account_id=record.account_id,
            key_id=record.key_id,
            mode=record.mode,
            operation=record.operation,
            dialect=record.dialect,
            model=record.model,
            provider=record.provider,
            attempts=len(record.attempts),
            stream=record.stream,
            status=record.status,
            error=record.error,
            ending=record.ending,
            client=record.client,
            first_byte_ms=record.first_byte_ms,
            last_byte_ms=record.last_byte_ms,
            tokens_in=usage.tokens_in(),
            tokens_out=usage.tokens_out(),
            usage_source=record.usage_source,
        )

    def refused(self, call: Call, code: str, status: int) -> None:
        """A call that never had an identity: nothing the caller wrote is repeated but the endpoint he found."""
        self._log.info(
            "refused", request_id=call.id, operation=call.operation, dialect=call.dialect, status=status, error=code
        )

    def defect(self, request_id: str, error: BaseException) -> None:
        """An exception nobody expected: its kind and where it came from, without its text, which may quote a body."""
        at = error.__traceback__
        places = []
        while at is not None:
            places.append(f"{at.tb_frame.f_code.co_filename.rpartition('tollhouse/')[2]}:{at.tb_lineno}")
            at = at.tb_next
        self._log.error("defect", request_id=request_id, kind=type(error).__name__, trace=places[-12:])

    def event(self, name: str, **facts: object) -> None:
        """Something of the process itself: started, draining, configuration applied."""
        self._log.info(name, **facts)
