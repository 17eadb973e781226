"""More of G3's kind: connections, heads and bytes on the wire that cost their sender little."""

import secrets
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

from tests.hostile.attacks.bodies import MIB
from tests.hostile.attacks.forms import Form, played
from tests.hostile.harness import Attack, AttackHarness, Observations
from tests.hostile.launcher import AttackedPlatform, TenantAccount, chat, pause
from tests.hostile.wire import at_once, close, each, head, opened, padded, post, send, status
from tollhouse.access.secrets import mint

WRONG_KEYS: Final = 20_000


def wire(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    b = harness.neighbour(platform)
    a = platform.open_wide(platform.account("a", "1000"))
    limited = platform.account("limited", "1", requests_per_minute=1)
    forms: list[Form] = [
        ("a body in chunks of one byte, 20 at once", lambda: set(at_once(20, lambda _: _bytewise(platform, a)))),
        ("5,000 requests pipelined", partial(_pipelined, platform, a)),
        ("500 that expect 100-continue", partial(_expecting, platform, a)),
        ("500 heads of 60 KB without an end", partial(_heads, platform)),
        ("2,000 silent connections", partial(_silent, platform)),
        ("an endless chunk", lambda: _raw(platform, head(a.key, None) + b"f" * 16 + b"\r\n" + b"a" * MIB)),
        ("a length of 10^18", lambda: _raw(platform, head(a.key, 10**18) + b"a" * MIB)),
        ("chunk extensions of 1 MB", lambda: _raw(platform, head(a.key, None) + b"1;" + b"a" * MIB)),
        ("trailers of 1 MB", lambda: _raw(platform, head(a.key, None) + b"0\r\n" + b"a: b\r\n" * 170_000)),
        ("2,000 refused by a limit", lambda: _flood(platform, limited.key, 2000)),
        ("2,000 answers of 404", lambda: _flood(platform, a.key, 2000, "/v1/" + "x" * 8000)),
        (f"{WRONG_KEYS} wrong keys", partial(_wrong_keys, platform)),
        ("300 streams left at once", lambda: len(each(range(300), lambda _: _left_at_once(platform, a), 30))),
        ("1,000 connections and one byte", partial(_one_byte, platform)),
    ]
    log = platform.folder / "stderr.log"
    size = log.stat().st_size
    played(platform, b, seen, forms)
    seen.within("log", (log.stat().st_size - size) // 1024, 4096, " KB")
    found = platform.ask(chat(), key=a.key)
    seen.must("served afterwards", found.status == 200, found.status)


def _bytewise(platform: AttackedPlatform, a: TenantAccount) -> int:
    body = padded(20_000)
    with opened(platform, 40) as connection:
        send(connection, head(a.key, None) + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n")
        return status(connection)


def _pipelined(platform: AttackedPlatform, a: TenantAccount) -> str:
    body = padded(100, max_tokens=5)
    with opened(platform, 5) as connection:
        connection.setblocking(True)
        connection.settimeout(5)
        sent = send(connection, (head(a.key, len(body)) + body) * 5000)
        return f"all taken: {sent}, {status(connection)}"


def _expecting(platform: AttackedPlatform, a: TenantAccount) -> str:
    data = head(a.key, 30 * MIB, "/v1/chat/completions", "expect: 100-continue")
    many = [opened(platform, 2) for _ in range(500)]
    for connection in many:
        send(connection, data)
    pause(1)
    close(many)
    return "kept 1 s"


def _heads(platform: AttackedPlatform) -> str:
    many = [opened(platform, 2) for _ in range(500)]
    for connection in many:
        send(connection, b"GET / HTTP/1.1\r\nhost: h\r\n" + b"x: y\r\n" * 10_000)
    pause(1)
    close(many)
    return f"{platform.rss_mb()} MB while they stood"


def _silent(platform: AttackedPlatform) -> str:
    many = [opened(platform, 2) for _ in range(2000)]
    pause(1)
    close(many)
    return "kept 1 s"


def _one_byte(platform: AttackedPlatform) -> str:
    many = [opened(platform, 2) for _ in range(1000)]
    for connection in many:
        send(connection, b"G")
    pause(1)
    close(many)
    return "kept 1 s"


def _raw(platform: AttackedPlatform, data: bytes) -> int:
    with opened(platform, 3) as connection:
        send(connection, data)
        return status(connection)


def _flood(platform: AttackedPlatform, key: str, count: int, path: str = "/v1/chat/completions") -> str:
    body = padded(100, max_tokens=5)
    statuses = each(range(count), lambda _: post(platform, key, body, path), 10)
    return f"{sorted(set(statuses))}"


def _wrong_keys(platform: AttackedPlatform) -> str:
    """Half of them well formed."""
    connections = [opened(platform) for _ in range(4)]

    def one(connection: socket.socket) -> int:
        refused = 0
        for number in range(WRONG_KEYS // 4):
            key = mint("live", secrets.token_bytes(32)) if number % 2 else f"sk-th-live-{secrets.token_hex(20)}"
            send(
                connection, head(key, None, "/v1/models", method="GET").replace(b"transfer-encoding: chunked\r\n", b"")
            )
            refused += b" 401 " in connection.recv(65536)
        return refused

    refused = sum(each(connections, one, 4))
    close(connections)
    return f"{refused} refused"


def _left_at_once(platform: AttackedPlatform, a: TenantAccount) -> None:
    body = padded(200, "[[chunk_ms=20]]", stream=True, max_tokens=5)
    with opened(platform, 5) as connection:
        send(connection, head(a.key, len(body)) + body)


def crowd(harness: AttackHarness, seen: Observations) -> None:
    """Bounds of one key are no bound in all: many accounts, each within its own."""
    platform = harness.platform()
    b = harness.neighbour(platform)
    many = [platform.account(f"a{number}", "1") for number in range(40)]
    unfinished = padded(31 * MIB)[:-1]
    hanging = padded(8 * MIB, "[[hang=1]]")
    unread = padded(200, "[[fill=30000000]]")

    def stood(send_one: Callable[[TenantAccount], socket.socket]) -> str:
        connections = each(many, send_one, 40)
        pause(2)
        shown = f"{platform.rss_mb()} MB while they stood"
        close(connections)
        return shown

    def sent(body: bytes, length: int, a: TenantAccount) -> socket.socket:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(5)
        connection.connect(("127.0.0.1", platform.port))
        send(connection, head(a.key, length) + body)
        return connection

    forms: list[Form] = [
        ("an unfinished body each", lambda: stood(partial(sent, unfinished, len(unfinished) + 1))),
        ("a body each at a provider that hangs", lambda: stood(partial(sent, hanging, len(hanging)))),
        ("an unread answer of 30 MB each", lambda: stood(partial(sent, unread, len(unread)))),
    ]
    played(platform, b, seen, forms)


ATTACKS: Final = (
    Attack("WIRE", "connections and floods: B is answered, memory and log stay bounded", wire),
    Attack("CROWD", "40 accounts, each within its bounds: memory is bounded in all", crowd),
)
