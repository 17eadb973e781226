"""Incident 3 of the peers: identities remembered by the first 20 characters of a token.

Two credentials that share any beginning, any end or anything but one character never share an identity.
"""

import pytest

from tests.security import endpoints
from tests.security.key_locations import PLACES, KeyLocation
from tests.security.platform_process import DemoPlatform, DemoReply
from tollhouse.access.secrets import CHECKSUM_LENGTH, PREFIXES, mint, parse

ENDPOINT = endpoints.EndpointCase("GET", "/v1beta/models/gpt-4o")  # read from every place, whatever else a key may do


def _ask(platform: DemoPlatform, place: KeyLocation, key: str) -> DemoReply:
    return platform.ask(ENDPOINT.method, ENDPOINT.path + place.query(key), place.headers(key))


def _whose(platform: DemoPlatform, key: str) -> object:
    reply = platform.get("/v1/key", key)
    return reply.json["id"] if reply.status == 200 else None


def _other(character: str) -> str:
    return "a" if character != "a" else "b"


def forged(key: str) -> list[str]:
    """Well-formed keys, checksum included, that share ever longer beginnings and ends with a real one."""
    found = []
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    start = len(PREFIXES["live"])
    number = 0
    for letter in key[start:-CHECKSUM_LENGTH]:
        number = number * 62 + alphabet.index(letter)
    for bit in range(256):
        found.append(mint("live", (number ^ (1 << bit)).to_bytes(32, "big")))
    return found


def test_no_part_of_a_key_stands_for_the_key(platform: DemoPlatform) -> None:
    key = platform.key("walk-shared")
    mine = _whose(platform, key)
    for position in range(len(key)):
        changed = key[:position] + _other(key[position]) + key[position + 1 :]
        for sent in (changed, key[:position], key[position + 1 :], key + key[position], key[position] + key):
            reply = platform.get("/v1/key", sent)
            assert reply.status == 401, sent
            assert key not in reply.body.decode()
        assert _whose(platform, key) == mine  # nothing was remembered that would now answer for it


def test_forged_keys_that_differ_in_one_bit_are_strangers(platform: DemoPlatform) -> None:
    key = platform.key("walk-forged")
    strangers = forged(key)
    assert all(parse(stranger) == "ours" for stranger in strangers)
    assert max(len(_shared(key, stranger)) for stranger in strangers) > 50
    for stranger in strangers:
        assert platform.get("/v1/key", stranger).status == 401
    assert _whose(platform, key) is not None


def _shared(one: str, other: str) -> str:
    return next(one[:size] for size in range(len(one), -1, -1) if other.startswith(one[:size]))


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_two_keys_in_turn_keep_their_own_verdicts_in_every_place(platform: DemoPlatform, place: KeyLocation) -> None:
    may, may_not = (
        platform.key(f"walk-may {place.name}"),
        platform.key(f"walk-may-not {place.name}", models=["gpt-4.1"]),
    )
    for _ in range(5):
        assert _ask(platform, place, may).verdict == (200, "")
        assert _ask(platform, place, may_not).verdict == (403, "model_not_allowed")
        assert _ask(platform, place, may[:-1] + _other(may[-1])).verdict == (401, "invalid_api_key")
        assert _ask(platform, place, may_not[:40] + may[40:]).verdict == (401, "invalid_api_key")
