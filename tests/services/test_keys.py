"""API keys: what a change does to the next request, what is written down of it, and what never is."""

import asyncio
from pathlib import Path

import pytest
from msgspec import json

from tests.services.harness import NOW_MS, OPERATOR, SettableClock, audited, enter, of_account, run
from tollhouse.access import secrets
from tollhouse.core.audit import Actor
from tollhouse.core.failure import (
    AddressNotAllowed,
    BadRequest,
    Conflict,
    KeyFrozen,
    KeyRefused,
    Overloaded,
    PathNotFound,
    ScopeMissing,
)
from tollhouse.services import accounts, audit, keys
from tollhouse.services.context import ServiceContext

DAY_MS = 86_400_000


async def with_account(services: ServiceContext) -> str:
    return (await accounts.create(services, OPERATOR, name="Zollhaus")).id


def test_a_key_works_from_the_next_request_on_and_after_a_restart(tmp_path: Path) -> None:
    async def create(services: ServiceContext, clock: SettableClock) -> str:
        await with_account(services)
        made = await keys.create(
            services,
            OPERATOR,
            name="ci",
            mode="test",
            scopes=("usage", "inference"),
            models=("gpt-*", "claude-x", "gpt-*"),
            networks=("203.0.113.0/24",),
            tags={"team": "税关"},
            expires_at_ms=NOW_MS + DAY_MS,
        )
        assert secrets.parse(made.secret) == "ours"
        assert secrets.mode_of(made.secret) == "test"
        assert made.key.scopes == ("inference", "usage")
        assert made.key.models == ("gpt-*", "claude-x")
        assert enter(services, made.secret).key == made.key
        with pytest.raises(AddressNotAllowed):
            enter(services, made.secret, "198.51.100.1")
        return made.secret

    secret = run(tmp_path, create)

    async def later(services: ServiceContext, clock: SettableClock) -> None:
        assert enter(services, secret).key.name == "ci"
        clock.ms += DAY_MS
        with pytest.raises(KeyRefused, match="expired"):
            enter(services, secret)

    run(tmp_path, later)


def test_a_secret_is_in_no_file_no_row_and_no_list(tmp_path: Path) -> None:
    """The files are read whole, the WAL too; last four and prefix are all that may be found."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> list[str]:
        await with_account(services)
        made = await keys.create(services, OPERATOR, name="ci")
        rotated = await keys.rotate(services, OPERATOR, made.key.id, overlap_ms=1000)
        found = await audit.list_page(services, OPERATOR)
        listed = await keys.list_page(services, OPERATOR)
        told = json.encode([found.records, listed.records]).decode()
        for secret in (made.secret, rotated.secret):
            assert secret not in told
            assert secret[len("sk-th-live-") :][:12] not in told
        assert b"digest" not in json.encode(found.records)
        return [made.secret, rotated.secret]

    for secret in run(tmp_path, scenario):
        for file in tmp_path.iterdir():
            assert secret[len("sk-th-live-") :][:16].encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("field", "value", "param"),
    [
        ("name", "a\tb", "name"),
        ("mode", "root", "mode"),
        ("scopes", ("inference", "admin"), "scopes"),
        ("scopes", (), "scopes"),
        ("models", ("gpt-*-mini",), "models"),
        ("models", ("",), "models"),
        ("models", tuple(str(number) for number in range(201)), "models"),
        ("networks", ("10.0.0.1/8",), "networks"),
        ("networks", ("anywhere",), "networks"),
        ("tags", {"a=b": "c"}, "tags"),
        ("tags", {"": "c"}, "tags"),
        ("tags", {"a": "x,y"}, "tags"),
        ("tags", {str(number): "x" for number in range(17)}, "tags"),
        ("expires_at_ms", NOW_MS, "expires"),
        ("expires_at_ms", -1, "expires"),
        ("expires_at_ms", 10**18, "expires"),
    ],
)
def test_what_cannot_be_is_refused_naming_the_field(tmp_path: Path, field: str, value: object, param: str) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await with_account(services)
        with pytest.raises(BadRequest) as refused:
            await keys.create(services, OPERATOR, **{"name": "k", field: value})  # type: ignore[arg-type]
        assert refused.value.param == param
        assert services.directory.keys == {}

    run(tmp_path, scenario)


def test_freezing_is_reversible_and_revoking_final(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await with_account(services)
        made = await keys.create(services, OPERATOR, name="ci")
        frozen = await keys.freeze(services, OPERATOR, "ci", "holiday")
        assert (frozen.state, frozen.state_reason) == ("frozen", "holiday")
        with pytest.raises(KeyFrozen):
            enter(services, made.secret)
        await keys.freeze(services, OPERATOR, "ci", "holiday")
        await keys.unfreeze(services, OPERATOR, made.key.id)
        await keys.unfreeze(services, OPERATOR, made.key.id)
        enter(services, made.secret)
        assert (await keys.revoke(services, OPERATOR, "ci", "leaked")).state_reason == "leaked"
        with pytest.raises(KeyRefused, match="revoked"):
            enter(services, made.secret)
        assert (await keys.revoke(services, OPERATOR, "ci", "again")).state_reason == "leaked"
        for transaction in (keys.freeze(services, OPERATOR, "ci"), keys.unfreeze(services, OPERATOR, "ci")):
            with pytest.raises(Conflict, match="final"):
                await transaction
        actions = [row.action for row in await audited(services, made.key.id)]
        assert actions == ["key.create", "key.freeze", "key.unfreeze", "key.revoke"]

    run(tmp_path, scenario)


def test_a_revocation_holds_although_its_caller_hung_up(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await with_account(services)
        made = await keys.create(services, OPERATOR, name="ci")
        revoking = asyncio.ensure_future(keys.revoke(services, OPERATOR, "ci"))
        await asyncio.sleep(0)
        revoking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await revoking
        await keys.create(services, OPERATOR, name="next")  # committed behind it, so that it is done
        with pytest.raises(KeyRefused, match="revoked"):
            enter(services, made.secret)

    run(tmp_path, scenario)


def test_with_an_overlap_both_secrets_answer_until_the_instant(tmp_path: Path) -> None:
    async def rotate(services: ServiceContext, clock: SettableClock) -> tuple[str, str]:
        await with_account(services)
        made = await keys.create(services, OPERATOR, name="ci")
        rotated = await keys.rotate(services, OPERATOR, "ci", overlap_ms=60_000)
        assert rotated.key.id == made.key.id
        assert made.secret != rotated.secret
        clock.ms += 59_999
        enter(services, made.secret)
        enter(services, rotated.secret)
        return made.secret, rotated.secret

    old, new = run(tmp_path, rotate)

    async def after_a_restart(services: ServiceContext, clock: SettableClock) -> None:
        clock.ms += 59_999
        enter(services, old)
        enter(services, new)
        clock.ms += 1
        with pytest.raises(KeyRefused, match="rotated"):
            enter(services, old)
        enter(services, new)

    run(tmp_path, after_a_restart)


def test_without_an_overlap_the_old_secret_ends_at_once(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await with_account(services)
        made = await keys.create(services, OPERATOR, name="ci")
        rotated = await keys.rotate(services, OPERATOR, "ci")
        with pytest.raises(KeyRefused, match="rotated"):
            enter(services, made.secret)
        enter(services, rotated.secret)

    run(tmp_path, scenario)


def test_an_overlap_from_the_first_use_waits_for_it_also_over_restarts(tmp_path: Path) -> None:
    async def rotate(services: ServiceContext, clock: SettableClock) -> tuple[str, str]:
        await with_account(services)
        made = await keys.create(services, OPERATOR, name="ci")
        rotated = await keys.rotate(services, OPERATOR, "ci", overlap_ms=60_000, counted_from="first-use")
        return made.secret, rotated.secret

    old, new = run(tmp_path, rotate)

    async def much_later(services: ServiceContext, clock: SettableClock) -> None:
        clock.ms += 30 * DAY_MS
        enter(services, old)
        enter(services, new)
        clock.ms += 59_999
        enter(services, old)

    run(tmp_path, much_later)

    async def after_another_restart(services: ServiceContext, clock: SettableClock) -> None:
        clock.ms += 30 * DAY_MS + 60_000
        with pytest.raises(KeyRefused, match="rotated"):
            enter(services, old)
        (key,) = services.directory.keys.values()
        actions = [(row.action, row.actor_kind) for row in await audited(services, key.id)]
        assert actions[-1] == ("key.first_use", "system")

    run(tmp_path, after_another_restart)


def test_a_second_rotation_inside_the_overlap_leaves_the_last_two_alive(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await with_account(services)
        first = await keys.create(services, OPERATOR, name="ci")
        second = await keys.rotate(services, OPERATOR, "ci", overlap_ms=60_000, counted_from="first-use")
        enter(services, first.secret)
        third = await keys.rotate(services, OPERATOR, "ci", overlap_ms=60_000)
        with pytest.raises(KeyRefused, match="rotated"):
            enter(services, first.secret)
        enter(services, second.secret)
        enter(services, third.secret)

    run(tmp_path, scenario)


def test_a_change_right_after_the_first_use_does_not_stop_the_clock(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await with_account(services)
        old = await keys.create(services, OPERATOR, name="ci")
        new = await keys.rotate(services, OPERATOR, "ci", overlap_ms=1_000, counted_from="first-use")
        freezing = asyncio.ensure_future(keys.freeze(services, OPERATOR, "ci"))
        await asyncio.sleep(0)
        enter(services, new.secret)
        await freezing
        await services.finish()
        await keys.unfreeze(services, OPERATOR, "ci")
        clock.ms += 1_000
        with pytest.raises(KeyRefused, match="rotated"):
            enter(services, old.secret)

    run(tmp_path, scenario)


def test_a_rotation_whose_answer_was_lost_can_be_seen_and_repeated(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await with_account(services)
        made = await keys.create(services, OPERATOR, name="ci")
        clock.ms += 1000
        lost = await keys.rotate(services, OPERATOR, made.key.id, overlap_ms=60_000)
        seen = await keys.show(services, OPERATOR, made.key.id)
        assert seen.rotated_at_ms == NOW_MS + 1000
        assert seen.secrets[0].last4 == secrets.last4(lost.secret)
        clock.ms += 1000
        again = await keys.rotate(services, OPERATOR, made.key.id, overlap_ms=60_000)
        assert again.key.id == made.key.id
        assert again.secret != lost.secret
        assert "A new secret was made, also if this request repeats an earlier one" in again.message
        assert f"ending in {secrets.last4(lost.secret)} stays valid for 60 s from now" in again.message
        rows = [row for row in await audited(services, made.key.id) if row.action == "key.rotate"]
        assert [(row.before["last4"], row.after["last4"]) for row in rows] == [
            (secrets.last4(made.secret), secrets.last4(lost.secret)),
            (secrets.last4(lost.secret), secrets.last4(again.secret)),
        ]

    run(tmp_path, scenario)


def test_an_expired_a_frozen_and_a_revoked_key_are_not_rotated_into_something_dead(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await with_account(services)
        await keys.create(services, OPERATOR, name="ci", expires_at_ms=NOW_MS + 1000)
        clock.ms += 1000
        with pytest.raises(BadRequest, match="new expiry") as refused:
            await keys.rotate(services, OPERATOR, "ci")
        assert refused.value.param == "expires"
        renewed = await keys.rotate(services, OPERATOR, "ci", expires_at_ms=NOW_MS + DAY_MS)
        enter(services, renewed.secret)
        await keys.freeze(services, OPERATOR, "ci")
        with pytest.raises(Conflict, match="unfreeze"):
            await keys.rotate(services, OPERATOR, "ci")
        await keys.revoke(services, OPERATOR, "ci")
        with pytest.raises(Conflict, match="final"):
            await keys.rotate(services, OPERATOR, "ci", expires_at_ms=NOW_MS + DAY_MS)
        for overlap_ms in (-1, 7 * DAY_MS + 1):
            with pytest.raises(BadRequest):
                await keys.rotate(services, OPERATOR, "ci", overlap_ms=overlap_ms)

    run(tmp_path, scenario)


def test_keys_of_others_are_answered_like_keys_that_were_never_made(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine = await with_account(services)
        other = await accounts.create(services, OPERATOR, name="other")
        foreign = (await keys.create(services, OPERATOR, name="theirs", account="other")).key
        me = of_account(mine)
        for reference in (foreign.id, "theirs", "key_unknown"):
            for transaction in (
                keys.show(services, me, reference),
                keys.rotate(services, me, reference),
                keys.revoke(services, me, reference),
                keys.freeze(services, me, reference),
                keys.unfreeze(services, me, reference),
            ):
                with pytest.raises(PathNotFound) as refused:
                    await transaction
                assert refused.value.message == f"no key {reference}"
        assert (await keys.list_page(services, me)).records == ()
        with pytest.raises(PathNotFound):
            await keys.list_page(services, me, account=other.id)
        with pytest.raises(PathNotFound):
            await keys.list_page(services, me, project=foreign.project_id)
        assert (await audit.list_page(services, me, object_id=foreign.id)).records == ()
        assert (await keys.list_page(services, OPERATOR, account="other")).records == (foreign,)
        assert (await keys.list_page(services, OPERATOR, project=foreign.project_id)).records == (foreign,)

    run(tmp_path, scenario)


def test_one_who_may_only_look_changes_nothing(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account_id = await with_account(services)
        made = await keys.create(services, OPERATOR, name="ci")
        reader = Actor(kind="api_key", id=made.key.id, account_id=account_id)
        for transaction in (
            keys.create(services, reader, name="k"),
            keys.rotate(services, reader, "ci"),
            keys.revoke(services, reader, "ci"),
            keys.freeze(services, reader, "ci"),
            keys.unfreeze(services, reader, "ci"),
        ):
            with pytest.raises(ScopeMissing):
                await transaction
        enter(services, made.secret)

    run(tmp_path, scenario)


def test_a_secret_given_for_a_name_is_not_repeated(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await with_account(services)
        made = await keys.create(services, OPERATOR, name="ci")
        for text in (made.secret, f"Bearer {made.secret}", f" {made.secret}", "sk-of-somebody-else"):
            with pytest.raises(PathNotFound) as refused:
                await keys.revoke(services, OPERATOR, text)
            assert made.secret not in refused.value.message
            assert "somebody" not in refused.value.message
        with pytest.raises(PathNotFound) as refused:
            await keys.show(services, OPERATOR, "a\x1b[31m\nb")
        assert refused.value.message.isprintable()

    run(tmp_path, scenario)


def test_the_last_use_is_shown_to_the_millisecond(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await with_account(services)
        made = await keys.create(services, OPERATOR, name="ci")
        clock.ms += 5
        enter(services, made.secret)
        shown = await keys.show(services, OPERATOR, "ci")
        assert (shown.last_used_at_ms, shown.last_used_client) == (NOW_MS + 5, "curl 8.5")
        assert (await keys.list_page(services, OPERATOR)).records == (shown,)

    run(tmp_path, scenario)


def test_a_change_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await with_account(services)
        made = await keys.create(services, OPERATOR, name="ci")
        await services.rows.close()  # type: ignore[attr-defined]
        with pytest.raises(Overloaded):
            await keys.revoke(services, OPERATOR, "ci")
        enter(services, made.secret)

    run(tmp_path, scenario)
