"""A call that ended before it had an identity.

It is written down for who runs the platform, and for its account where a key is known that may not be used any more.

Nobody pays for such rows, so each network may cause a few, and all together some; what is beyond stands in the log and
in the figures. They count in no sum of usage.
"""

from typing import Final

from tollhouse.access.clients import client_of
from tollhouse.access.judge import sender
from tollhouse.core.failure import Failure
from tollhouse.core.usage_record import UsageRecord
from tollhouse.gateway.connection import Call
from tollhouse.gateway.failure_detail import detail_of
from tollhouse.gateway.ports import GatewayContext
from tollhouse.limits.addresses import network_of

_ALL: Final = ""


def refused(gateway: GatewayContext, call: Call, failure: Failure) -> None:
    """A call ended before it had an identity: tell the observers, and write it down while there is room."""
    known = sender(call.headers, call.query, key_in_query=call.key_in_query, find=gateway.keys.find)
    record = UsageRecord(
        id=call.id,
        time_ms=call.arrived_ms,
        account_id="" if known is None else known.account.id,
        project_id="" if known is None else known.project.id,
        key_id="" if known is None else known.key.id,
        mode="live" if known is None else known.key.mode,
        model="",
        dialect=call.dialect,
        operation=call.operation,
        stream=False,
        status=gateway.codecs[call.dialect, call.operation].error_status(failure),
        error=failure.code,
        ending="refused",
        client=client_of(dict(reversed(call.headers)).get(b"user-agent", b"")),
        detail=detail_of(failure.message, call.address),
    )
    gateway.observer.refused(record)
    rows, now_ms = gateway.refused_rows, gateway.clock.now_ms()
    if rows.admit(network_of(call.address) or call.address, now_ms) and gateway.all_refused_rows.admit(_ALL, now_ms):
        gateway.ledger.note(record)
