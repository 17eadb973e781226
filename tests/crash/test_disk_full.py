"""A disk without room, or one that cannot be written: 503 for all, nobody charged for nothing, healed by itself."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.crash.callers import CrashCallers
from tests.crash.history import CONFIG, History
from tests.crash.recovered_state import look
from tests.crash.small_disk import Quota, Tmpfs, read_only, small_disk
from tests.end_to_end.platform_process import PlatformProcess, chat
from tests.end_to_end.test_process_end import StubListener, ready
from tests.support.scripted_provider import LAST, ScriptedProvider, streams, word

MORE = """
credit_limit_usd = "unlimited"

[providers.up]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"

[models."house-1"]
offers = [{ provider = "up", model = "up-house" }]
context_tokens = 128000
price = { input = "2.50", output = "10.00" }
"""
BEFORE, DURING, AFTER = 30, 60, 30
LOOKS_MAX = 3_000


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as running:
        yield running


class FullDisk:
    """`with FullDisk(disk, platform)`: no room within."""

    def __init__(self, disk: Tmpfs | Quota, platform: PlatformProcess) -> None:
        self._disk, self._platform = disk, platform

    def __enter__(self) -> None:
        self._disk.fill(self._platform)

    def __exit__(self, *_: object) -> None:
        self._disk.free(self._platform)


def until(holds: Callable[[], bool]) -> None:
    """Looked at again and again: each look takes its own time."""
    assert any(holds() for _ in range(LOOKS_MAX)), "it never held"


def survives(platform: PlatformProcess, provider: ScriptedProvider, trouble: AbstractContextManager[None]) -> None:
    """Under load; a stream is open when the trouble begins, and ends within it."""
    goes_on = asyncio.Event()
    provider.plays("up-house", streams([word("one "), goes_on, word("two ") + LAST]))
    listener = StubListener(platform)
    stream_id = str(listener.answer.getheader("x-request-id"))
    history = History()
    with CrashCallers(platform, "load") as callers:
        callers.wait_for(lambda seen: len(seen.received) >= BEFORE)
        with trouble:
            callers.wait_for(lambda seen: len(seen.refused) >= DURING)
            assert ready(platform) == 503
            provider.signal(goes_on)
            told = listener.rest(broken=True)
            assert b"two " in told
            assert b"[DONE]" not in told
            assert b'"overloaded"' in told
        answered = len(callers.received)
        callers.wait_for(lambda seen: len(seen.received) >= answered + AFTER)
    until(lambda: ready(platform) == 200)
    history.add(callers)
    assert {one.code for one in history.refused} == {"overloaded"}
    assert {one.status for one in history.refused} <= {200, 503}
    until(lambda: platform.read(lambda tables: tables.requests.get(stream_id)) is not None)
    assert platform.record(stream_id).ending == "commit_failed"
    standing = look(f"sqlite:///{platform.folder}/tollhouse.db")
    assert standing.entries[stream_id] == 1
    assert standing.charged[stream_id] > 0
    history.asked |= {"nobody"}  # the stream has no name
    assert history.differences(standing) == []
    assert [line for line in platform.defects() if line.get("level") == "error"] == []


def test_a_disk_without_room(tmp_path: Path, provider: ScriptedProvider) -> None:
    with small_disk(tmp_path / "disk") as disk:
        config = (CONFIG + MORE).replace("{database}", "").replace("{port}", str(provider.port))
        platform = PlatformProcess(disk.folder / "house", config)
        try:
            survives(platform, provider, FullDisk(disk, platform))
        finally:
            platform.stop()


def test_a_database_that_cannot_be_written(tmp_path: Path, provider: ScriptedProvider) -> None:
    config = (CONFIG + MORE).replace("{database}", "").replace("{port}", str(provider.port))
    platform = PlatformProcess(tmp_path / "house", config)
    try:
        survives(platform, provider, read_only(platform))
    finally:
        platform.stop()


def test_who_calls_while_nothing_can_be_written_costs_no_provider_anything(
    tmp_path: Path, provider: ScriptedProvider
) -> None:
    config = (CONFIG + MORE).replace("{database}", "").replace("{port}", str(provider.port))
    platform = PlatformProcess(tmp_path / "house", config)
    try:
        provider.plays("up-house", streams([word("one ") + LAST]))
        with read_only(platform):
            until(lambda: platform.ask(chat()).status == 503)
            asked = len(provider.turns)
            for _ in range(20):
                refused = platform.ask(chat())
                assert (refused.status, refused.code) == (503, "overloaded")
                assert int(refused.headers["retry-after"]) >= 1
            assert len(provider.turns) == asked
        until(lambda: platform.ask(chat(stream=True)).status == 200)
    finally:
        platform.stop()
