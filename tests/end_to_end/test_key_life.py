"""Keys as their owners handle them: rotated with an overlap, over a restart, and when they were dead already."""

import json
from typing import Any

import pytest

from tests.end_to_end.platform_process import PlatformProcess, PlatformReply, chat
from tests.support.scripted_provider import ScriptedProvider, answers, said


@pytest.fixture(autouse=True)
def answered(provider: ScriptedProvider) -> None:
    provider.plays("up-house", answers(said("hello")))


def made(platform: PlatformProcess, name: str, **members: Any) -> tuple[str, str]:
    """Id and secret of a new key."""
    key = platform.manage("POST", "/keys", {"name": name, "account": "demo", **members})
    return key["id"], key["secret"]


def rotated(platform: PlatformProcess, key_id: str, **members: Any) -> str:
    return str(platform.manage("POST", f"/keys/{key_id}/rotate", members)["secret"])


def with_key(platform: PlatformProcess, secret: str) -> PlatformReply:
    return platform.ask(chat(), key=secret)


def statuses(platform: PlatformProcess, *secrets: str) -> list[int]:
    return [with_key(platform, secret).status for secret in secrets]


def dies(platform: PlatformProcess, secret: str) -> PlatformReply:
    """Ask until the secret is refused; an overlap of a second is over within so many questions."""
    for _ in range(20_000):
        reply = with_key(platform, secret)
        if reply.status != 200:
            return reply
    raise AssertionError("it never ended")


class TestRotation:
    """K02"""

    def test_both_secrets_answer_during_the_overlap_and_the_old_one_not_after_it(
        self, platform: PlatformProcess
    ) -> None:
        key_id, old = made(platform, "overlap")
        new = rotated(platform, key_id, overlap="1s")
        assert statuses(platform, old, new) == [200, 200]
        refused = dies(platform, old)
        assert (refused.status, refused.code) == (401, "invalid_api_key")
        assert "rotated" in refused.json["error"]["message"]
        assert old not in refused.body.decode()
        assert with_key(platform, new).status == 200

    def test_without_an_overlap_the_old_one_ends_with_the_next_request(self, platform: PlatformProcess) -> None:
        key_id, old = made(platform, "none")
        new = rotated(platform, key_id)
        assert statuses(platform, old, new) == [401, 200]

    def test_counted_from_first_use_the_old_one_waits(self, platform: PlatformProcess) -> None:
        key_id, old = made(platform, "first use")
        new = rotated(platform, key_id, overlap="1s", **{"from": "first-use"})
        assert statuses(platform, *[old] * 3) == [200] * 3
        assert with_key(platform, new).status == 200, "now the clock runs"
        assert dies(platform, old).status == 401
        assert with_key(platform, new).status == 200

    def test_the_record_of_a_call_says_that_the_old_secret_came(self, platform: PlatformProcess) -> None:
        key_id, old = made(platform, "who still uses it")
        new = rotated(platform, key_id, overlap="60s")
        assert statuses(platform, new, old, old) == [200, 200, 200]
        use = platform.manage("GET", f"/keys/{key_id}/use")
        found = {(one["old_secret"], one["calls"]) for one in use["clients"]}
        assert found == {(None, 1), (old[-4:], 2)}

    def test_a_second_rotation_leaves_the_last_two(self, platform: PlatformProcess) -> None:
        key_id, first = made(platform, "twice")
        second = rotated(platform, key_id, overlap="60s")
        third = rotated(platform, key_id, overlap="60s")
        assert statuses(platform, first, second, third) == [401, 200, 200]


def test_an_overlap_and_a_revocation_outlive_a_restart(platform: PlatformProcess) -> None:
    """K02"""
    key_id, old = made(platform, "restart")
    new = rotated(platform, key_id, overlap="1h")
    dead_id, dead = made(platform, "dead")
    platform.manage("POST", f"/keys/{dead_id}/revoke", {"reason": "leaked"})
    _, bound = made(platform, "bound", models=["other-*"])
    platform.stop()
    platform.again()
    assert statuses(platform, old, new, dead, bound) == [200, 200, 401, 403]
    assert statuses(platform, platform.key) == [200]


class TestDeadKeys:
    """K06"""

    def test_an_expired_key_is_rotated_only_with_a_new_expiry(self, platform: PlatformProcess) -> None:
        key_id, secret = made(platform, "expired", expires="1s")
        expired = dies(platform, secret)
        assert (expired.status, expired.code) == (401, "invalid_api_key")
        assert "expired" in expired.json["error"]["message"]
        with pytest.raises(AssertionError, match="expire"):
            rotated(platform, key_id)
        new = rotated(platform, key_id, expires="1h")
        assert statuses(platform, new, secret) == [200, 401]

    def test_a_revoked_key_is_not_rotated(self, platform: PlatformProcess) -> None:
        key_id, secret = made(platform, "revoked")
        platform.manage("POST", f"/keys/{key_id}/revoke", {"reason": "leaked"})
        assert with_key(platform, secret).status == 401
        with pytest.raises(AssertionError, match="revoked"):
            rotated(platform, key_id)

    def test_a_frozen_key_is_frozen_after_rotation_too(self, platform: PlatformProcess) -> None:
        key_id, secret = made(platform, "frozen")
        platform.manage("POST", f"/keys/{key_id}/freeze", {"reason": "holiday"})
        refused = with_key(platform, secret)
        assert (refused.status, refused.code) == (403, "key_frozen")
        try:
            new = rotated(platform, key_id)
        except AssertionError as refusal:
            assert "frozen" in str(refusal)  # noqa: PT017
            return
        assert with_key(platform, new).code == "key_frozen"
        platform.manage("POST", f"/keys/{key_id}/unfreeze", {})
        assert with_key(platform, new).status == 200


def test_a_change_takes_effect_with_the_next_request(platform: PlatformProcess) -> None:
    key_id, secret = made(platform, "next")
    for verb, status in (("freeze", 403), ("unfreeze", 200), ("freeze", 403), ("unfreeze", 200), ("revoke", 401)):
        platform.manage("POST", f"/keys/{key_id}/{verb}", {"reason": "test"} if verb != "unfreeze" else {})
        assert with_key(platform, secret).status == status


def test_the_command_line_changes_what_the_server_knows(platform: PlatformProcess) -> None:
    key = platform.tollhouse("keys", "create", "by command", "--account", "demo", "--model", "house-*")
    assert with_key(platform, key["secret"]).status == 200
    platform.tollhouse("keys", "freeze", key["id"], "--reason", "test")
    assert with_key(platform, key["secret"]).code == "key_frozen"
    assert json.dumps(platform.tollhouse("keys", "show", key["id"])).find(key["secret"]) < 0
