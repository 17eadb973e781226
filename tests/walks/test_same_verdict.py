"""Incident 7 of the peers: a restriction that held for `Authorization`, and not for `x-api-key`.

Every key place x every restriction x every endpoint: one verdict.
"""

import datetime
from collections.abc import Callable

import pytest

from tests.walks import rooms
from tests.walks.house import JSON, House, Reply
from tests.walks.key_places import PLACES
from tests.walks.rooms import Room

Restrict = Callable[[House, str], str]
"""(house, a new name) -> the secret of a key that is restricted in one way."""


def _networks(house: House, name: str) -> str:
    return house.key(name, networks=["10.99.0.0/16"])


def _models(house: House, name: str) -> str:
    return house.key(name, models=["gpt-4.1", "gpt-9*"])


def _without_inference(house: House, name: str) -> str:
    return house.key(name, scopes=["usage"])


def _admin(house: House, name: str) -> str:
    return house.key(name, mode="admin")


def _frozen(house: House, name: str) -> str:
    secret = house.key(name)
    house.operator("keys.freeze", name)
    return secret


def _revoked(house: House, name: str) -> str:
    secret = house.key(name)
    house.operator("keys.revoke", name)
    return secret


def _rotated_away(house: House, name: str) -> str:
    secret = house.key(name)
    house.operator("keys.rotate", name)
    return secret


def _expired(house: House, name: str) -> str:
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(milliseconds=300)
    secret = house.key(name, expires=soon.isoformat())
    while house.get("/v1/key", secret).status == 200:
        pass
    return secret


def _suspended(house: House, name: str) -> str:
    house.operator("accounts.create", name=name)
    secret = house.key(name, account=name)
    house.operator("accounts.suspend", name)
    return secret


def _archived(house: House, name: str) -> str:
    house.operator("projects.create", name=name, account="demo")
    secret = house.key(name, project=name)
    house.operator("projects.archive", name)
    return secret


def _never_made(house: House, name: str) -> str:
    return "sk-" + name * 4


CALLED: dict[str, tuple[Restrict, tuple[int, str]]] = {
    "network": (_networks, (403, "ip_not_allowed")),
    "model": (_models, (403, "model_not_allowed")),
    "scope": (_without_inference, (403, "scope_missing")),
    "mode": (_admin, (403, "scope_missing")),
    "frozen": (_frozen, (403, "key_frozen")),
    "revoked": (_revoked, (401, "invalid_api_key")),
    "rotated": (_rotated_away, (401, "invalid_api_key")),
    "expired": (_expired, (401, "invalid_api_key")),
    "suspended": (_suspended, (403, "account_suspended")),
    "archived": (_archived, (403, "key_frozen")),
    "unknown": (_never_made, (401, "invalid_api_key")),
    "none": (House.key, (200, "")),
}
"""Each restriction, and what a call of the LLM API then gets."""


def reached(house: House, room: Room, place: int, key: str) -> Reply:
    chosen = PLACES[place]
    content = JSON if room.body is not None else {}
    return house.ask(room.method, room.path + chosen.query(key), {**chosen.headers(key), **content}, room.body)


@pytest.mark.parametrize("restriction", CALLED)
def test_incident_7_a_restriction_holds_wherever_the_key_stands(house: House, restriction: str) -> None:
    restrict, expected = CALLED[restriction]
    key = restrict(house, f"walk-{restriction}")
    for room in rooms.closed():
        places = [number for number, place in enumerate(PLACES) if place.is_read_by(room)]
        verdicts = {PLACES[number].name: reached(house, room, number, key).verdict for number in places}
        assert len(set(verdicts.values())) == 1, (room.name, verdicts)
        if room.operation is not None:
            assert set(verdicts.values()) == {expected}, room.name


@pytest.mark.parametrize("restriction", CALLED)
def test_no_restricted_key_is_read_from_a_place_that_is_none(house: House, restriction: str) -> None:
    key = CALLED[restriction][0](house, f"elsewhere-{restriction}")
    for room in rooms.closed():
        content = JSON if room.body is not None else {}
        for headers, query in (
            ({"x-goog-user-project": key, "proxy-authorization": f"Bearer {key}"}, ""),
            ({"cookie": f"api_key={key}; session={key}"}, ""),
            ({}, f"?api_key={key}&token={key}&access_token={key}"),
            ({}, "" if room.is_gemini else f"?key={key}"),
        ):
            reply = house.ask(room.method, room.path + query, {**headers, **content}, room.body)
            assert reply.verdict == (401, "invalid_api_key"), (room.name, headers, query)
            assert key.encode() not in reply.body


def test_two_different_keys_of_ours_are_told_apart_in_every_pair_of_places(house: House) -> None:
    one, other = house.key("walk-one"), house.key("walk-other")
    room = Room("GET", "/v1beta/models")
    for first in range(len(PLACES)):
        for second in range(len(PLACES)):
            headers = {**PLACES[first].headers(one), **PLACES[second].headers(other)}
            query = PLACES[first].query(one) or PLACES[second].query(other)
            if len(headers) + bool(query) < 2:
                continue  # both would stand in the same place
            reply = house.ask(room.method, room.path + query, headers)
            assert reply.status == 400
            assert PLACES[first].name.partition(":")[0] in reply.error["message"]
            assert PLACES[second].name.partition(":")[0] in reply.error["message"]
