"""Incident 7 of the peers: a restriction that held for `Authorization`, and not for `x-api-key`.

Every key place x every restriction x every endpoint: one verdict.
"""

import datetime
from collections.abc import Callable

import pytest

from tests.security import endpoints
from tests.security.endpoints import EndpointCase
from tests.security.key_locations import PLACES
from tests.security.platform_process import JSON, DemoPlatform, DemoReply

Restrict = Callable[[DemoPlatform, str], str]
"""(house, a new name) -> the secret of a key that is restricted in one way."""


def _networks(platform: DemoPlatform, name: str) -> str:
    return platform.key(name, networks=["10.99.0.0/16"])


def _models(platform: DemoPlatform, name: str) -> str:
    return platform.key(name, models=["gpt-4.1", "gpt-9*"])


def _without_inference(platform: DemoPlatform, name: str) -> str:
    return platform.key(name, scopes=["usage"])


def _admin(platform: DemoPlatform, name: str) -> str:
    return platform.key(name, mode="admin")


def _frozen(platform: DemoPlatform, name: str) -> str:
    secret = platform.key(name)
    platform.operator("keys.freeze", name)
    return secret


def _revoked(platform: DemoPlatform, name: str) -> str:
    secret = platform.key(name)
    platform.operator("keys.revoke", name)
    return secret


def _rotated_away(platform: DemoPlatform, name: str) -> str:
    secret = platform.key(name)
    platform.operator("keys.rotate", name)
    return secret


def _expired(platform: DemoPlatform, name: str) -> str:
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(milliseconds=300)
    secret = platform.key(name, expires=soon.isoformat())
    while platform.get("/v1/key", secret).status == 200:
        pass
    return secret


def _suspended(platform: DemoPlatform, name: str) -> str:
    platform.operator("accounts.create", name=name)
    secret = platform.key(name, account=name)
    platform.operator("accounts.suspend", name)
    return secret


def _archived(platform: DemoPlatform, name: str) -> str:
    platform.operator("projects.create", name=name, account="demo")
    secret = platform.key(name, project=name)
    platform.operator("projects.archive", name)
    return secret


def _never_made(platform: DemoPlatform, name: str) -> str:
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
    "none": (DemoPlatform.key, (200, "")),
}
"""Each restriction, and what a call of the LLM API then gets."""


def reached(platform: DemoPlatform, endpoint: EndpointCase, place: int, key: str) -> DemoReply:
    chosen = PLACES[place]
    content = JSON if endpoint.body is not None else {}
    return platform.ask(
        endpoint.method, endpoint.path + chosen.query(key), {**chosen.headers(key), **content}, endpoint.body
    )


@pytest.mark.parametrize("restriction", CALLED)
def test_a_restriction_holds_wherever_the_key_stands(platform: DemoPlatform, restriction: str) -> None:
    restrict, expected = CALLED[restriction]
    key = restrict(platform, f"walk-{restriction}")
    for endpoint in endpoints.closed():
        places = [number for number, place in enumerate(PLACES) if place.is_read_by(endpoint)]
        verdicts = {PLACES[number].name: reached(platform, endpoint, number, key).verdict for number in places}
        assert len(set(verdicts.values())) == 1, (endpoint.name, verdicts)
        if endpoint.operation is not None:
            status, code = expected
            told = endpoint.not_permitted(code) if status == 403 else expected
            assert set(verdicts.values()) == {told}, endpoint.name


@pytest.mark.parametrize("restriction", CALLED)
def test_no_restricted_key_is_read_from_a_place_that_is_none(platform: DemoPlatform, restriction: str) -> None:
    key = CALLED[restriction][0](platform, f"elsewhere-{restriction}")
    for endpoint in endpoints.closed():
        content = JSON if endpoint.body is not None else {}
        for headers, query in (
            ({"x-goog-user-project": key, "proxy-authorization": f"Bearer {key}"}, ""),
            ({"cookie": f"api_key={key}; session={key}"}, ""),
            ({}, f"?api_key={key}&token={key}&access_token={key}"),
            ({}, "" if endpoint.is_gemini else f"?key={key}"),
        ):
            reply = platform.ask(endpoint.method, endpoint.path + query, {**headers, **content}, endpoint.body)
            assert reply.verdict == (401, "invalid_api_key"), (endpoint.name, headers, query)
            assert key.encode() not in reply.body


def test_two_different_keys_of_ours_are_told_apart_in_every_pair_of_places(platform: DemoPlatform) -> None:
    one, other = platform.key("walk-one"), platform.key("walk-other")
    endpoint = EndpointCase("GET", "/v1beta/models")
    for first in range(len(PLACES)):
        for second in range(len(PLACES)):
            headers = {**PLACES[first].headers(one), **PLACES[second].headers(other)}
            query = PLACES[first].query(one) or PLACES[second].query(other)
            if len(headers) + bool(query) < 2:
                continue  # both would stand in the same place
            reply = platform.ask(endpoint.method, endpoint.path + query, headers)
            assert reply.status == 400
            assert PLACES[first].name.partition(":")[0] in reply.error["message"]
            assert PLACES[second].name.partition(":")[0] in reply.error["message"]
