"""One call as the observers see it: refused before it had an identity, and finished."""

from typing import Any, cast

from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import Attempt, UsageRecord
from tollhouse.gateway.connection import Call, CallerConnection

CALL = Call(
    id="req_refused",
    arrived_ms=1_800_000_000_123,
    time_ms=1_800_000_000_123,
    ticks_ns=0,
    dialect="openai",
    operation="chat",
    headers=[(b"authorization", b"Bearer secret"), (b"user-agent", b"secret")],
    query=b"key=secret",
    address="198.51.100.1",
    client=cast(CallerConnection, cast(Any, None)),
)
FINISHED = UsageRecord(
    id="req_finished",
    time_ms=1_800_000_000_123,
    account_id="acc_1",
    project_id="proj_1",
    key_id="key_1",
    mode="live",
    model="gpt-4o",
    dialect="openai",
    operation="chat",
    stream=True,
    status=200,
    ending="finished",
    client="OpenAI/Python 3.57.0",
    provider="second",
    attempts=(
        Attempt(provider="first", model="a", error="upstream_error", start_ms=0, end_ms=3),
        Attempt(provider="second", model="b", status=200, start_ms=3, first_byte_ms=7, end_ms=9),
    ),
    usage=Usage(input=60, output=12),
    usage_source="upstream",
    first_byte_ms=7,
    last_byte_ms=9,
)
