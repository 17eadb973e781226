"""Keys as their owners handle them: rotated with an overlap, over a restart, and when they were dead already."""

import json
from typing import Any

import pytest

from tests.journey.platform_process import Platform, Reply, chat
from tests.journey.scripted_provider import Provider, answers, said


@pytest.fixture(autouse=True)
def answered(provider: Provider) -> None:
    provider.plays("up-house", answers(said("hello")))


def made(house: Platform, name: str, **members: Any) -> tuple[str, str]:
    """Id and secret of a new key."""
    key = house.manage("POST", "/keys", {"name": name, "account": "demo", **members})
    return key["id"], key["secret"]


def rotated(house: Platform, key_id: str, **members: Any) -> str:
    return str(house.manage("POST", f"/keys/{key_id}/rotate", members)["secret"])


def with_key(house: Platform, secret: str) -> Reply:
    return house.ask(chat(), key=secret)


def statuses(house: Platform, *secrets: str) -> list[int]:
    return [with_key(house, secret).status for secret in secrets]


def dies(house: Platform, secret: str) -> Reply:
    """Ask until the secret is refused; an overlap of a second is over within so many questions."""
    for _ in range(20_000):
        reply = with_key(house, secret)
        if reply.status != 200:
            return reply
    raise AssertionError("it never ended")


class TestRotation:
    """K02"""

    def test_both_secrets_answer_during_the_overlap_and_the_old_one_not_after_it(self, house: Platform) -> None:
        key_id, old = made(house, "overlap")
        new = rotated(house, key_id, overlap="1s")
        assert statuses(house, old, new) == [200, 200]
        refused = dies(house, old)
        assert (refused.status, refused.code) == (401, "invalid_api_key")
        assert "rotated" in refused.json["error"]["message"]
        assert old not in refused.body.decode()
        assert with_key(house, new).status == 200

    def test_without_an_overlap_the_old_one_ends_with_the_next_request(self, house: Platform) -> None:
        key_id, old = made(house, "none")
        new = rotated(house, key_id)
        assert statuses(house, old, new) == [401, 200]

    def test_counted_from_first_use_the_old_one_waits(self, house: Platform) -> None:
        key_id, old = made(house, "first use")
        new = rotated(house, key_id, overlap="1s", **{"from": "first-use"})
        assert statuses(house, *[old] * 3) == [200] * 3
        assert with_key(house, new).status == 200, "now the clock runs"
        assert dies(house, old).status == 401
        assert with_key(house, new).status == 200

    def test_a_second_rotation_leaves_the_last_two(self, house: Platform) -> None:
        key_id, first = made(house, "twice")
        second = rotated(house, key_id, overlap="60s")
        third = rotated(house, key_id, overlap="60s")
        assert statuses(house, first, second, third) == [401, 200, 200]


def test_an_overlap_and_a_revocation_outlive_a_restart(house: Platform) -> None:
    """K02"""
    key_id, old = made(house, "restart")
    new = rotated(house, key_id, overlap="1h")
    dead_id, dead = made(house, "dead")
    house.manage("POST", f"/keys/{dead_id}/revoke", {"reason": "leaked"})
    _, bound = made(house, "bound", models=["other-*"])
    house.stop()
    house.again()
    assert statuses(house, old, new, dead, bound) == [200, 200, 401, 403]
    assert statuses(house, house.key) == [200]


class TestDeadKeys:
    """K06"""

    def test_an_expired_key_is_rotated_only_with_a_new_expiry(self, house: Platform) -> None:
        key_id, secret = made(house, "expired", expires="1s")
        expired = dies(house, secret)
        assert (expired.status, expired.code) == (401, "invalid_api_key")
        assert "expired" in expired.json["error"]["message"]
        with pytest.raises(AssertionError, match="expire"):
            rotated(house, key_id)
        new = rotated(house, key_id, expires="1h")
        assert statuses(house, new, secret) == [200, 401]

    def test_a_revoked_key_is_not_rotated(self, house: Platform) -> None:
        key_id, secret = made(house, "revoked")
        house.manage("POST", f"/keys/{key_id}/revoke", {"reason": "leaked"})
        assert with_key(house, secret).status == 401
        with pytest.raises(AssertionError, match="revoked"):
            rotated(house, key_id)

    def test_a_frozen_key_is_frozen_after_rotation_too(self, house: Platform) -> None:
        key_id, secret = made(house, "frozen")
        house.manage("POST", f"/keys/{key_id}/freeze", {"reason": "holiday"})
        refused = with_key(house, secret)
        assert (refused.status, refused.code) == (403, "key_frozen")
        try:
            new = rotated(house, key_id)
        except AssertionError as refusal:
            assert "frozen" in str(refusal)  # noqa: PT017
            return
        assert with_key(house, new).code == "key_frozen"
        house.manage("POST", f"/keys/{key_id}/unfreeze", {})
        assert with_key(house, new).status == 200


def test_a_change_takes_effect_with_the_next_request(house: Platform) -> None:
    key_id, secret = made(house, "next")
    for verb, status in (("freeze", 403), ("unfreeze", 200), ("freeze", 403), ("unfreeze", 200), ("revoke", 401)):
        house.manage("POST", f"/keys/{key_id}/{verb}", {"reason": "test"} if verb != "unfreeze" else {})
        assert with_key(house, secret).status == status


def test_the_command_line_changes_what_the_server_knows(house: Platform) -> None:
    key = house.tollhouse("keys", "create", "by command", "--account", "demo", "--model", "house-*")
    assert with_key(house, key["secret"]).status == 200
    house.tollhouse("keys", "freeze", key["id"], "--reason", "test")
    assert with_key(house, key["secret"]).code == "key_frozen"
    assert json.dumps(house.tollhouse("keys", "show", key["id"])).find(key["secret"]) < 0
