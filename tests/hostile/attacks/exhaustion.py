"""G7, D3, G5 and all at once: places that answers, counts and secrets keep."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tests.hostile.attacks.bodies import LISTS, MIB, RSS_MAX_MB, attacked
from tests.hostile.harness import BEFORE_SECONDS, Attack, AttackHarness, Observations
from tests.hostile.launcher import AttackedPlatform, TenantAccount, chat, pause
from tests.hostile.wire import at_once, close, each, head, opened, padded, post, send, status

SECONDS_ALL: Final = 15
LASTING: Final = "[[chunk_ms=100&words=100&usage=no]]"


def g7(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    b = harness.neighbour(platform)
    a = platform.account("a", "10", parallel_requests=1)
    before = b.for_seconds(BEFORE_SECONDS)
    begin = attacked(platform, b)
    rss = platform.rss_mb()
    body = padded(200, "[[fill=6000000]]")
    unread = [_asked_and_not_read(platform, a, body) for _ in range(20)]
    statuses = [_peeked(connection) for connection in unread]
    seen.within("let in", statuses.count(200), 1)
    seen.note("statuses", sorted(set(statuses)))
    seen.within("growth", platform.peak_mb() - rss, 100, " MB")
    seen.beside(before, b.since(begin))
    close(unread)
    pause(1)
    seen.must("free again", platform.ask(chat(), key=a.key).status == 200)


def _asked_and_not_read(platform: AttackedPlatform, a: TenantAccount, body: bytes) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", platform.port))
    send(connection, head(a.key, len(body)) + body)
    _peeked(connection)
    return connection


def _peeked(connection: socket.socket) -> int:
    """The status that lies there, without reading it. 0: none yet."""
    try:
        words = connection.recv(64, socket.MSG_PEEK).split(b" ", 2)
    except OSError:
        return 0
    return int(words[1]) if len(words) > 2 else 0


def d3(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    b = harness.neighbour(platform)
    a = platform.open_wide(platform.account("a", "100"))
    before = b.for_seconds(BEFORE_SECONDS)
    alone = _count_ms(platform, b.account)
    begin = attacked(platform, b)
    body = padded(30 * MIB, LASTING, stream=True)
    at_once(6, lambda _: _left(platform, a, body))
    beside = max(_count_ms(platform, b.account) for _ in range(3))
    seen.note("B's count alone", f"{alone:.0f} ms")
    seen.within("B's count beside", round(beside), 1000, " ms")
    seen.beside(before, b.since(begin))
    seen.within("peak", platform.peak_mb(), RSS_MAX_MB, " MB")


def _left(platform: AttackedPlatform, a: TenantAccount, body: bytes) -> None:
    """A stream whose caller goes with its first bytes: what it used has to be counted."""
    with opened(platform, 30) as connection:
        send(connection, head(a.key, len(body)) + body)
        status(connection)


def _count_ms(platform: AttackedPlatform, account: TenantAccount) -> float:
    """How long an answer takes that the provider reports no usage for."""
    began = time.monotonic()
    reply = platform.ask(chat("[[usage=no]]"), key=account.key)
    assert reply.status == 200, reply.body[:300]
    return (time.monotonic() - began) * 1000


def g5(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    a = platform.account("a", "1")
    secrets, times = [a.key], []
    for _ in range(200):
        began = time.monotonic()
        reply = platform.managed("POST", f"/keys/{a.key_id}/rotate", {"overlap": "7d"})
        times.append((time.monotonic() - began) * 1000)
        if reply.status == 200:
            secrets.append(reply.json["secret"])
    first, last = sorted(times[:20])[10], sorted(times[-20:])[10]
    seen.note("first", f"{first:.1f} ms")
    seen.within("last", round(last, 1), round(max(2 * first, 20), 1), " ms")
    alive = each(secrets, lambda secret: platform.ask(None, "/v1/key", key=secret, method="GET").status == 200)
    seen.note("rotated", len(secrets) - 1)
    seen.within("secrets that are good", sum(alive), 10)
    seen.must("the newest is good", alive[-1])


def everything(harness: AttackHarness, seen: Observations) -> None:
    """G2, G3, D3 and 200 connections that trickle, at once."""
    platform = harness.platform()
    b = harness.neighbour(platform)
    poor = platform.account("poor", requests_per_minute=1)
    rich = platform.open_wide(platform.account("rich", "1000"))
    before = b.for_seconds(BEFORE_SECONDS * 2)
    begin = attacked(platform, b)
    over = time.monotonic() + SECONDS_ALL
    unfinished, streamed = padded(32 * MIB - 100)[:-1], padded(30 * MIB, LASTING, stream=True)
    kept: list[socket.socket] = []

    def until_over(transaction: Callable[[], object]) -> None:
        while time.monotonic() < over:
            transaction()

    def keep() -> None:
        connection = opened(platform, 20)
        kept.append(connection)
        send(connection, head(rich.key, len(unfinished) + 1) + unfinished)

    with ThreadPoolExecutor(64) as many:
        many.submit(_trickle, platform, poor, over)
        for _ in range(40):
            many.submit(keep)
        many.submit(until_over, lambda: post(platform, poor.key, LISTS, seconds=30))
        for _ in range(6):
            many.submit(until_over, lambda: _left(platform, rich, streamed))
    seen.beside(before, b.since(begin))
    seen.within("peak", platform.peak_mb(), RSS_MAX_MB, " MB")
    close(kept)


def _trickle(platform: AttackedPlatform, a: TenantAccount, over: float) -> None:
    """200 connections, each a byte now and then."""
    slow = [opened(platform) for _ in range(200)]
    start = head(a.key, 100_000)
    for connection in slow:
        send(connection, start)
    while time.monotonic() < over:
        for connection in slow:
            send(connection, b" ")
        pause(0.1)
    close(slow)


ATTACKS: Final = (
    Attack("G7", "a place is free when the answer has left: of 20 answers that nobody reads one is let in", g7),
    Attack("D3", "a count never waits behind a stranger's", d3),
    Attack("G5", "the 200th rotation costs what the first did, and old secrets end", g5),
    Attack("ALL", "G2, G3, D3 and 200 trickling connections at once: B's p99 at most doubles", everything),
)
