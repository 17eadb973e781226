"""A key whose whole secret is reported is frozen, its owners are told, and the answer tells nothing."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.services.fake_delivery import FakeDelivery
from tests.services.harness import OPERATOR, SettableClock, audited, enter, of_account, run
from tollhouse.core.account import ApiKey
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, KeyFrozen, Overloaded, PathNotFound, RateLimited
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import accounts, audit, budgets, keys, leaks, outbox
from tollhouse.services.context import REPORTS_PER_MINUTE, ServiceContext
from tollhouse.services.given.keys import FOUND_MAX
from tollhouse.services.leaks import FoundKey

SCANNER = "192.0.2.44"
URL = "https://user:pass@github.com/acme/shop/blob/main/.env?token=hush#L3"


class Scene:
    """An account with a mail address, and a key of it."""

    def __init__(self, services: ServiceContext, clock: SettableClock, made: keys.NewSecret) -> None:
        self.services, self.clock, self.secret, self.id = services, clock, made.secret, made.key.id
        self.post = FakeDelivery()
        services.post = self.post

    @property
    def key(self) -> ApiKey:
        return self.services.directory.keys[self.id]

    async def report(self, *found: str | FoundKey, address: str | None = SCANNER) -> int:
        told = [FoundKey(one, url=URL, source="content") if isinstance(one, str) else one for one in found]
        received = await leaks.report(self.services, told, address)
        await self.services.finish()
        while await outbox.deliver(self.services):
            pass
        return received

    def link(self) -> str:
        return self.post.sent[-1].text.partition("/console/leak?token=")[2].split()[0]


def play(folder: Path, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole(services: ServiceContext, clock: SettableClock) -> None:
        account = await accounts.create(services, OPERATOR, name="acme", email="boss@acme.example")
        made = await keys.create(services, OPERATOR, name="web", account=account.id)
        await scenario(Scene(services, clock, made))

    run(folder, whole)


def test_found_key_is_frozen_and_its_owner_reads_why(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        services = scene.services
        enter(services, scene.secret)
        assert await scene.report(scene.secret) == 1
        with pytest.raises(KeyFrozen):
            enter(services, scene.secret)
        (mail,) = scene.post.sent
        assert mail.address == "boss@acme.example"
        assert mail.subject.startswith("A key was found where it should not be:")
        for words in ("github.com/acme/shop/blob/main/.env", scene.secret[-4:], "Cost in 30 days", "content"):
            assert words in mail.text
        for hidden in (scene.secret, "pass", "hush", "https://github.com"):
            assert hidden not in mail.text
        assert "\n" not in mail.subject
        row = (await audited(services, scene.id))[-1]
        assert (row.action, row.actor_kind, row.actor_id, row.address) == ("key.leak", "system", "leak report", SCANNER)
        owner = Actor(kind="person", id="per_1", account_id=row.account_id)
        (seen,) = (await audit.list_page(services, owner, object_id=scene.id, limit=1)).records
        assert (seen.action, seen.address) == ("key.leak", None), "the account's people do not see who reported"
        (whole,) = (await audit.list_page(services, OPERATOR, object_id=scene.id, limit=1)).records
        assert whole.address == SCANNER
        assert row.after["state"] == "frozen"
        assert scene.secret not in repr(row)

    play(tmp_path, scenario)


def test_who_used_it_last_is_told(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        identity = enter(scene.services, scene.secret)
        scene.services.directory.used(identity, "openai-python", scene.clock.ms, "2001:db8::7")
        await scene.report(scene.secret)
        assert "openai-python" in scene.post.sent[0].text
        assert "2001:db8::/64" in scene.post.sent[0].text

    play(tmp_path, scenario)


def test_link_of_the_mail_lets_it_go_on_once(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.report(scene.secret)
        token = scene.link()
        _, seen = await leaks.look_up(scene.services, token)
        assert seen.id == scene.id
        assert scene.key.state == "frozen"
        await leaks.resume(scene.services, token, "203.0.113.9")
        enter(scene.services, scene.secret)
        with pytest.raises(PathNotFound):
            await leaks.resume(scene.services, token, "203.0.113.9")
        row = (await audited(scene.services, scene.id))[-1]
        assert (row.action, row.actor_id, row.address) == ("key.unfreeze", "link of a mail", "203.0.113.9")

    play(tmp_path, scenario)


def test_link_ends_and_lets_nothing_go_on_that_was_frozen_for_another_reason(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        services = scene.services
        await scene.report(scene.secret)
        first = scene.link()
        await keys.unfreeze(services, OPERATOR, scene.id)
        await keys.freeze(services, OPERATOR, scene.id, "unpaid")
        with pytest.raises(PathNotFound):
            await leaks.resume(services, first, "203.0.113.9")
        await keys.unfreeze(services, OPERATOR, scene.id)
        await scene.report(scene.secret)
        second = scene.link()
        with pytest.raises(PathNotFound):
            await leaks.resume(services, first, "203.0.113.9")
        scene.clock.ms += 7 * DAY_MS
        with pytest.raises(PathNotFound):
            await leaks.resume(services, second, "203.0.113.9")
        assert scene.key.state == "frozen"

    play(tmp_path, scenario)


def test_new_secret_lets_the_key_go_on_and_the_found_one_stays_dead(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await scene.report(scene.secret)
        actor = of_account(scene.key.account_id)
        made = await keys.rotate(scene.services, actor, scene.id)
        enter(scene.services, made.secret)
        assert scene.key.state == "active"
        with pytest.raises(Exception, match=r"replaced|no longer valid|rotated"):
            enter(scene.services, scene.secret)

    play(tmp_path, scenario)


def test_old_secret_that_was_found_ends_and_the_key_goes_on(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        made = await keys.rotate(scene.services, OPERATOR, scene.id, overlap_ms=DAY_MS)
        enter(scene.services, scene.secret)
        await scene.report(scene.secret)
        enter(scene.services, made.secret)
        with pytest.raises(Exception, match=r"replaced|no longer valid|rotated"):
            enter(scene.services, scene.secret)
        (mail,) = scene.post.sent
        assert "no longer works" in mail.text
        assert "token=" not in mail.text

    play(tmp_path, scenario)


def test_nothing_happens_to_keys_that_cannot_be_used_anyhow(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        services = scene.services
        await scene.report(scene.secret)
        rows, mails = len(await audited(services)), len(scene.post.sent)
        real, services.rows = services.rows, BlockedRows()  # type: ignore[assignment]
        await leaks.report(services, [FoundKey(scene.secret)], SCANNER)
        async with asyncio.timeout(1):
            await services.finish()
        services.rows = real
        await scene.report(scene.secret)
        await keys.revoke(services, OPERATOR, scene.id)
        await scene.report(scene.secret)
        assert len(await audited(services)) == rows + 1
        assert len(scene.post.sent) == mails

    play(tmp_path, scenario)


def test_only_the_whole_secret_stops_a_key(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        found = [
            scene.secret[:-1],
            scene.secret + "a",
            scene.secret.lower(),
            scene.id,
            scene.secret[-4:],
            "",
            "x" * 9_000,
        ]
        assert await scene.report(*found) == len(found)
        assert scene.key.state == "active"
        assert not scene.post.sent

    play(tmp_path, scenario)


def test_one_report_of_the_same_key_many_times_is_one_freeze(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        assert await scene.report(*[scene.secret] * 50) == 50
        assert len(scene.post.sent) == 1
        assert [row.action for row in await audited(scene.services, scene.id)].count("key.leak") == 1

    play(tmp_path, scenario)


def test_reports_are_bounded_by_address_and_not_for_who_runs_the_platform(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        for _ in range(REPORTS_PER_MINUTE):
            await leaks.report(scene.services, [], SCANNER)
        with pytest.raises(RateLimited):
            await scene.report(scene.secret)
        enter(scene.services, scene.secret)
        await leaks.report(scene.services, [], "192.0.2.45")
        await scene.report(scene.secret, address=None)
        assert scene.key.state == "frozen"

    play(tmp_path, scenario)


def test_webhook_of_the_account_hears_of_it_without_the_link(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await budgets.put(
            scene.services,
            OPERATOR,
            account=scene.key.account_id,
            amount_usd="5",
            window="day",
            webhook="https://hooks.example/in",
        )
        await scene.report(scene.secret)
        (hook,) = [one for one in scene.post.sent if one.channel == "webhook"]
        told = json.loads(hook.body)
        assert (told["type"], told["data"]["key"]) == ("key.leaked", scene.id)
        assert "token" not in hook.text + hook.body.decode()

    play(tmp_path, scenario)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b'"sk"',
        b"[1]",
        b'["x"]',
        b'[{"token": 1}]',
        b'[{"url": "x"}]',
        b"[" * 100_000,
        b'[{"token": "\xff"}]',
        json.dumps([{"token": "x"}] * (FOUND_MAX + 1)).encode(),
        b'[{"token": "' + b"x" * leaks.BYTES_MAX + b'"}]',
    ],
)
def test_what_is_no_list_of_found_keys_is_refused_without_a_word_of_it(data: bytes) -> None:
    with pytest.raises(BadRequest) as refused:
        leaks.read(data)
    assert "xx" not in str(refused.value)


def test_list_as_scanners_send_it_is_read() -> None:
    data = b'[{"token": "a", "type": "t", "url": "u", "source": "content", "other": 1}, {"token": "b", "url": null}]'
    assert leaks.read(data) == [FoundKey("a", "t", "u", "content"), FoundKey("b")]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, ""),
        ("", ""),
        ("javascript:alert(1)", ""),
        ("https://", ""),
        ("https://[::1", ""),
        ("https://a b.example/x", ""),
        ("https://evil.example\r\nBcc: x@y.example/z", ""),
        ("https://u:p@code.example:8443/a b?q=1#f", "code.example:8443/a%20b"),
        ("http://code.example/x\n<script>", ""),
        ("http://code.example/\u202e<script>", "code.example/%E2%80%AE%3Cscript%3E"),
        ("https://code.example/" + "a" * 900, "code.example/" + "a" * 187),
    ],
)
def test_place_of_a_find_is_cleaned(url: str | None, shown: str) -> None:
    assert leaks.place_of(url) == shown


def test_place_of_a_find_holds_no_key() -> None:
    key = "sk-" + "th-live-" + "A1b2" * 12 + "C"
    assert key not in leaks.place_of(f"https://code.example/{key}")


def test_answer_waits_for_nothing_that_is_done_about_a_key(tmp_path: Path) -> None:
    """With a database that does not answer, a valid key is answered as an unknown one."""

    async def scenario(scene: Scene) -> None:
        real, blocked = scene.services.rows, BlockedRows()
        scene.services.rows = blocked  # type: ignore[assignment]
        async with asyncio.timeout(1):
            assert await leaks.report(scene.services, [FoundKey(scene.secret)], SCANNER) == 1
            assert await leaks.report(scene.services, [FoundKey("unknown")], SCANNER) == 1
        blocked.opens.set()
        await scene.services.finish()
        scene.services.rows = real

    play(tmp_path, scenario)


class BlockedRows:
    def __init__(self) -> None:
        self.opens = asyncio.Event()

    async def read(self, question: object) -> None:
        await self.opens.wait()
        raise Overloaded("away")

    async def change(self, transaction: object, after: object = None) -> None:
        await self.read(transaction)


def test_secret_that_was_ended_already_freezes_nothing(tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        await keys.end_secrets(scene.services, OPERATOR, scene.id, scene.clock.ms)
        await scene.report(scene.secret)
        assert (scene.key.state, scene.post.sent) == ("active", [])

    play(tmp_path, scenario)
