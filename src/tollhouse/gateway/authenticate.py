"""Stage 1: whose call this is, from memory, before anything else of it is read.

A body may take hours to come. Then what counts is the moment in which it was whole: for the key that was revoked
meanwhile, the price that was raised, the day that ended. The record keeps the time of arrival, as the call's id does.
"""

from typing import Final

from tollhouse.access.clients import client_of
from tollhouse.access.judge import CALL, present_and_judge
from tollhouse.core.account import Identity
from tollhouse.core.failure import Failure
from tollhouse.gateway.client import Call
from tollhouse.gateway.journey import Journey
from tollhouse.gateway.ports import House

SLOW_MS: Final = 1_000  # a revoked key is revoked everywhere within a second


def authenticate(house: House, call: Call) -> Journey:
    """Begin the journey of a known caller. Raises KeyRefused, BadRequest (two keys), and the kinds of NotPermitted;
    RateLimited for an address that calls too often, whatever keys it brings, and for a key whose calls were refused too
    often."""
    try:
        house.addresses.admit(call.address, call.time_ms)
        identity = _judged(house, call)
        if house.refusals.any:
            house.refusals.admit(identity.key, call.time_ms)
    except Failure as failure:
        house.witness.refused(call, failure.code, failure.status)
        raise
    client = client_of(call.header(b"user-agent"))
    house.keys.used(identity, client, call.time_ms)
    return Journey(call, identity, client)


def still_welcome(house: House, journey: Journey) -> None:
    """Where the body came slowly, judge its sender anew, and the call by now. Raises as `authenticate`."""
    call = journey.call
    if house.since_ms(call) >= SLOW_MS:
        call.time_ms = house.clock.now_ms()
        journey.identity = _judged(house, call)


def _judged(house: House, call: Call) -> Identity:
    return present_and_judge(
        call.headers,
        call.query,
        gemini_query_allowed=call.dialect == "gemini",
        find=house.keys.find,
        now_ms=call.time_ms,
        address=call.address,
        needs=CALL,
    )
