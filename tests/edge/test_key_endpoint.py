"""`/v1/key`: who am I, also for a key that was stopped."""

import pytest

from tests.walks.house import House


def test_it_tells_what_the_key_is_and_may(house: House) -> None:
    key = house.key(
        "who-am-i", models=["gpt-4o", "text-*"], networks=["127.0.0.0/8"], tags={"team": "a"}, expires="30d"
    )
    told = house.get("/v1/key", key).json
    assert (told["object"], told["name"], told["mode"], told["state"]) == ("key", "who-am-i", "live", "active")
    assert told["last4"] == key[-4:]
    assert told["scopes"] == ["inference", "usage"]
    assert told["account"]["name"] == "demo"
    assert told["project"]["name"] == "default"
    assert told["networks"] == ["127.0.0.0/8"]
    assert told["tags"] == {"team": "a"}
    assert told["expires_at"] > told["created_at"]
    assert told["models"] == ["gpt-4o", "text-embedding-3-small", "text-embedding-3-large"]
    assert key not in house.get("/v1/key", key).body.decode()


@pytest.mark.parametrize(
    ("mode", "scopes"), [("live", ["usage"]), ("test", []), ("live", []), ("admin", ["inference"])]
)
def test_it_asks_for_the_scope_usage_and_no_mode(house: House, mode: str, scopes: list[str]) -> None:
    """An admin key administrates its account: scopes are those of the other modes."""
    key = house.key(f"asks-{mode}-{len(scopes)}{scopes[:1]}", mode=mode, **({"scopes": scopes} if scopes else {}))
    reply = house.get("/v1/key", key)
    assert reply.status == 200
    assert reply.json["mode"] == mode
    assert reply.headers["cache-control"] == "no-store"


def test_e1_it_tells_nothing_elsewhere_and_nothing_without_the_scope(house: House) -> None:
    elsewhere = house.key("e1-elsewhere", networks=["10.99.0.0/16"])
    narrow = house.key("e1-narrow", scopes=["inference"])
    for key, code in ((elsewhere, "ip_not_allowed"), (narrow, "scope_missing")):
        reply = house.get("/v1/key", key)
        assert reply.verdict == (403, code)
        assert b"balance" not in reply.body
    house.operator("keys.freeze", "e1-elsewhere")
    assert house.get("/v1/key", elsewhere).verdict == (403, "ip_not_allowed")


def test_a_stopped_key_still_learns_what_stopped_it_and_a_dead_one_does_not(house: House) -> None:
    key = house.key("stopped")
    house.operator("keys.freeze", "stopped")
    assert house.get("/v1/key", key).json["state"] == "frozen"
    house.operator("keys.unfreeze", "stopped")
    assert house.get("/v1/key", key).json["state"] == "active"
    house.operator("keys.revoke", "stopped")
    assert house.get("/v1/key", key).verdict == (401, "invalid_api_key")


def test_during_a_rotation_each_secret_knows_how_long_it_lives(house: House) -> None:
    old = house.key("rotated")
    new = str(house.operator("keys.rotate", "rotated", overlap="1h")["secret"])
    assert house.get("/v1/key", new).json["secret_valid_until"] is None
    assert house.get("/v1/key", old).json["secret_valid_until"] > house.get("/v1/key", old).json["created_at"]
    assert house.get("/v1/key", old).json["id"] == house.get("/v1/key", new).json["id"]
