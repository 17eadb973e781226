"""Stage 1: whose call this is, from memory, before anything else of it is read.

A body may take hours to come. Then what counts is the moment in which it was whole: for the key that was revoked
meanwhile, the price that was raised, the day that ended. The record keeps the time of arrival, as the call's id does.
"""

from typing import Final

from tollhouse.access.clients import client_of
from tollhouse.access.credentials import Presented
from tollhouse.access.judge import CALL, judge, present_and_judge
from tollhouse.core.account import Identity
from tollhouse.core.failure import Failure
from tollhouse.gateway.connection import Call
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.refused_call import refused
from tollhouse.gateway.request_context import RequestContext

_BY_SESSION: Final = Presented("", "the console")
SLOW_NS: Final = 1_000_000_000  # a revoked key is revoked everywhere within a second


def authenticate(gateway: GatewayContext, call: Call) -> RequestContext:
    """Begin the request context of a known caller. Raises KeyRefused, BadRequest (two keys), and the kinds of
    NotPermitted; RateLimited for an address that calls too often, whatever keys it brings, and for a key whose calls
    were refused too often."""
    try:
        gateway.addresses.admit(call.address, call.time_ms)
        identity = _judged(gateway, call)
        if gateway.refusals.any:
            gateway.refusals.admit(identity.key, call.time_ms)
    except Failure as failure:
        refused(gateway, call, failure)
        raise
    fields = dict(reversed(call.headers))
    client = client_of(fields.get(b"user-agent", b""))
    gateway.keys.used(identity, client, call.time_ms, call.address)
    codec = gateway.codecs[call.dialect, call.operation]
    answered = codec.framings.get(call.framing, codec)
    return RequestContext(call, identity, answered, codec, answered, fields, client)


def reauthenticate_if_slow(gateway: GatewayContext, context: RequestContext) -> None:
    """Where the body came slowly, judge its sender anew, and the call by now. Raises as `authenticate`."""
    call = context.call
    if gateway.clock.ticks_ns() - call.ticks_ns >= SLOW_NS:
        call.time_ms = gateway.clock.now_ms()
        context.identity = _judged(gateway, call)


def _judged(gateway: GatewayContext, call: Call) -> Identity:
    if call.key_digest is not None:
        known = gateway.keys.find(call.key_digest)
        return judge(known, presented=_BY_SESSION, now_ms=call.time_ms, address=call.address, needs=CALL)
    return present_and_judge(
        call.headers,
        call.query,
        key_in_query=call.key_in_query,
        find=gateway.keys.find,
        now_ms=call.time_ms,
        address=call.address,
        needs=CALL,
    )
