"""An alert channel is one file: what it declares is all that the rows, the services and the post know of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.services.fake_delivery import send_all, spends
from tests.services.harness import SettableClock, audited, of_account, run
from tests.services.test_money import commit, owner_of
from tollhouse.clock import SystemClock
from tollhouse.core.channel import Channel, ChannelBounds, Channels
from tollhouse.core.failure import BadRequest
from tollhouse.outbound.channel import AlertChannel
from tollhouse.outbound.discovery import HERE, alert_channels, bounds_of
from tollhouse.outbound.post import open_post
from tollhouse.services import alerts, budgets
from tollhouse.services.context import ServiceContext
from tollhouse.settings import Settings
from tollhouse.upstream.address import read_url
from tollhouse.upstream.client import UpstreamClient

FILE = '''
"""Notices on a shelf: a line each in the file that the address names."""

from pathlib import Path

from tollhouse.core.channel import ChannelBounds
from tollhouse.core.notice import DeliveryResult, Outgoing
from tollhouse.outbound.channel import AlertChannel, OutboundParts


async def _deliver(parts: OutboundParts, outgoing: Outgoing) -> DeliveryResult:
    with Path(outgoing.address.removeprefix("shelf://")).open("a", encoding="utf-8") as shelf:
        shelf.write(f"{parts.name}: {outgoing.subject}\\n")
    return DeliveryResult(ok=True, words="it stands there")


def _refuses(parts: OutboundParts, address: str) -> str | None:
    return None if address.endswith(".txt") else "a shelf is a .txt file"


CHANNEL = AlertChannel(
    bounds=ChannelBounds(name="shelf", schemes=("shelf",), per_day=3, in_all=1, each=1, fold_mark=40),
    deliver=_deliver,
    refuses=_refuses,
)
'''


def with_shelf(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[Channel, AlertChannel]:
    """The channels of the platform and one of a package of its own, which holds one file."""
    package = folder / "more_channels"
    package.mkdir()
    (package / "shelf.py").write_text(FILE, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    return alert_channels(HERE, "more_channels")


def test_a_channel_is_added_as_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    channels = with_shelf(tmp_path, monkeypatch)
    assert list(channels) == ["chat", "mail", "shelf", "webhook"]
    shelf = tmp_path / "alerts.txt"

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        client = UpstreamClient(SystemClock(), idle_max=0)
        services.post = open_post(Settings(), lambda text: text, SystemClock(), client, read_url, channels)
        account, owner = await owner_of(services)
        given: dict[str, Any] = {"amount_usd": "0.0000001", "window": "day", "account": account.id}
        for wrong in ("shelves:///x.txt", "shelf:///x.pdf"):
            with pytest.raises(BadRequest) as refused:
                await budgets.put(services, owner, webhook=wrong, **given)
            assert refused.value.param == "webhook"
        budget = await budgets.put(services, owner, webhook=f"shelf://{shelf}", soft=(50, 60, 70, 80), **given)
        assert await budgets.reveal(services, budget) is None, "nothing is signed"
        (tried,) = await alerts.try_out(services, owner, webhook=f"shelf://{shelf}")
        assert (tried.delivery.channel, tried.answer.words, tried.secret) == ("shelf", "it stands there", None)

        await commit(services, spends(1, budget, 65))
        await send_all(services)
        assert [line.split(" %")[0] for line in shelf.read_text().splitlines()[1:]] == [
            "tollhouse: 50",
            "tollhouse: 60",
        ]
        await commit(services, spends(2, budget, 20))
        await send_all(services)
        assert len(shelf.read_text().splitlines()) == 3, "three a day, the test among them"
        listed = (await alerts.list_page(services, of_account(account.id))).records
        states = [(one.delivery.channel, one.delivery.state) for one in listed if one.notice.type == "budget.threshold"]
        assert sorted(states) == [("shelf", "folded")] * 2 + [("shelf", "sent")] * 2
        (row,) = [row for row in await audited(services, budget.id) if row.action == "budget.set"]
        assert row.after["webhook"] == "shelf://..."
        await client.close()

    run(tmp_path, scenario, channels=bounds_of(channels.values()))


def test_channels_that_cannot_be_told_apart_are_refused() -> None:
    one = ChannelBounds(name="one", schemes=("one",), per_day=1, in_all=1, each=1, fold_mark=1)
    for other in (
        ChannelBounds(name="one", per_day=1, in_all=1, each=1, fold_mark=2),
        ChannelBounds(name="two", schemes=("one",), per_day=1, in_all=1, each=1, fold_mark=2),
        ChannelBounds(name="two", per_day=1, in_all=1, each=1, fold_mark=1),
    ):
        with pytest.raises(ValueError, match="two alert channels"):
            Channels((one, other))
