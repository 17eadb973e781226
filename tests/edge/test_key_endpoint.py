"""`/v1/key`: who am I, also for a key that was stopped."""

import pytest

from tests.security.platform_process import DemoPlatform


def test_it_tells_what_the_key_is_and_may(platform: DemoPlatform) -> None:
    key = platform.key(
        "who-am-i", models=["gpt-4o", "text-*"], networks=["127.0.0.0/8"], tags={"team": "a"}, expires="30d"
    )
    told = platform.get("/v1/key", key).json
    assert (told["object"], told["name"], told["mode"], told["state"]) == ("key", "who-am-i", "live", "active")
    assert told["last4"] == key[-4:]
    assert told["scopes"] == ["inference", "usage"]
    assert told["account"]["name"] == "demo"
    assert told["project"]["name"] == "default"
    assert told["networks"] == ["127.0.0.0/8"]
    assert told["tags"] == {"team": "a"}
    assert told["expires_at"] > told["created_at"]
    assert told["models"] == ["gpt-4o", "text-embedding-3-small", "text-embedding-3-large"]
    assert key not in platform.get("/v1/key", key).body.decode()


@pytest.mark.parametrize(
    ("mode", "scopes"), [("live", ["usage"]), ("test", []), ("live", []), ("admin", ["inference"])]
)
def test_it_asks_for_the_scope_usage_and_no_mode(platform: DemoPlatform, mode: str, scopes: list[str]) -> None:
    """An admin key administrates its account: scopes are those of the other modes."""
    key = platform.key(f"asks-{mode}-{len(scopes)}{scopes[:1]}", mode=mode, **({"scopes": scopes} if scopes else {}))
    reply = platform.get("/v1/key", key)
    assert reply.status == 200
    assert reply.json["mode"] == mode
    assert reply.headers["cache-control"] == "no-store"


def test_it_tells_nothing_elsewhere_and_nothing_without_the_scope(platform: DemoPlatform) -> None:
    elsewhere = platform.key("e1-elsewhere", networks=["10.99.0.0/16"])
    narrow = platform.key("e1-narrow", scopes=["inference"])
    for key, code in ((elsewhere, "ip_not_allowed"), (narrow, "scope_missing")):
        reply = platform.get("/v1/key", key)
        assert reply.verdict == (403, code)
        assert b"balance" not in reply.body
    platform.operator("keys.freeze", "e1-elsewhere")
    assert platform.get("/v1/key", elsewhere).verdict == (403, "ip_not_allowed")


def test_a_stopped_key_still_learns_what_stopped_it_and_a_dead_one_does_not(platform: DemoPlatform) -> None:
    key = platform.key("stopped")
    platform.operator("keys.freeze", "stopped")
    assert platform.get("/v1/key", key).json["state"] == "frozen"
    platform.operator("keys.unfreeze", "stopped")
    assert platform.get("/v1/key", key).json["state"] == "active"
    platform.operator("keys.revoke", "stopped")
    assert platform.get("/v1/key", key).verdict == (401, "invalid_api_key")


def test_during_a_rotation_each_secret_knows_how_long_it_lives(platform: DemoPlatform) -> None:
    old = platform.key("rotated")
    new = str(platform.operator("keys.rotate", "rotated", overlap="1h")["secret"])
    assert platform.get("/v1/key", new).json["secret_valid_until"] is None
    assert platform.get("/v1/key", old).json["secret_valid_until"] > platform.get("/v1/key", old).json["created_at"]
    assert platform.get("/v1/key", old).json["id"] == platform.get("/v1/key", new).json["id"]
