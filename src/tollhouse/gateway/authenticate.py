"""Stage 1: whose call this is, from memory, before anything else of it is read."""

from tollhouse.access.clients import client_of
from tollhouse.access.judge import present_and_judge
from tollhouse.core.failure import Failure
from tollhouse.gateway.client import Call
from tollhouse.gateway.journey import Journey
from tollhouse.gateway.ports import House


def authenticate(house: House, call: Call) -> Journey:
    """Begin the journey of a known caller. Raises KeyRefused, BadRequest (two keys), and the kinds of NotPermitted;
    RateLimited for an address that calls too often, whatever keys it brings."""
    try:
        house.addresses.admit(call.address, call.time_ms)
        identity = present_and_judge(
            call.headers,
            call.query,
            gemini_query_allowed=call.dialect == "gemini",
            find=house.keys.find,
            now_ms=call.time_ms,
            address=call.address,
            need="inference",
        )
    except Failure as failure:
        house.witness.refused(call, failure.code, failure.status)
        raise
    client = client_of(call.header(b"user-agent"))
    house.keys.used(identity, client, call.time_ms)
    return Journey(call, identity, client)
