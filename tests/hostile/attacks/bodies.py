"""G1, G2, G3: what one body makes the platform do, and what unfinished ones make it keep."""

import json
from typing import Final

from tests.hostile.harness import BEFORE_SECONDS, Attack, AttackHarness, Observations
from tests.hostile.launcher import AttackedPlatform, chat, pause
from tests.hostile.neighbour import Neighbour
from tests.hostile.wire import at_once, close, head, opened, post, send

MIB: Final = 1024 * 1024
LISTS: Final = b'{"model":"house-1","messages":[{"role":"user","content":[' + b"[]," * (10 * MIB) + b"[]]}]}"
RSS_MAX_MB: Final = 600


def nested(levels: int) -> dict[str, object]:
    """A schema whose arrays multiply: 20 to the power of its levels."""
    schema: dict[str, object] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "minItems": 20, "items": schema}
    whole = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    return {"type": "json_schema", "json_schema": {"name": "a", "schema": whole}}


def attacked(platform: AttackedPlatform, b: Neighbour) -> float:
    """The attack begins: what was before is start-up."""
    platform.forget_peak()
    begin = b.mark()
    platform.attacked_from(begin)
    return begin


def g1(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    b = harness.neighbour(platform)
    a = platform.account("a", mode="test")
    before = b.for_seconds(BEFORE_SECONDS)
    begin = attacked(platform, b)
    for levels in (5, 8):
        reply = platform.ask(chat(response_format=nested(levels)), key=a.key, seconds=20)
        seen.note(f"{levels} levels", reply.status)
    seen.beside(before, b.between(begin, b.mark() + 2))
    seen.within("peak", platform.peak_mb(), RSS_MAX_MB, " MB")


def g2(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    b = harness.neighbour(platform)
    a = platform.account("a", requests_per_minute=1)
    before = b.for_seconds(BEFORE_SECONDS)
    begin = attacked(platform, b)
    backslashes = b'{"model":"house-1","messages":"' + b"\\" * (31 * MIB)
    statuses = [post(platform, a.key, body, seconds=40) for body in (LISTS, backslashes, LISTS)]
    seen.note("statuses", statuses)
    seen.beside(before, b.between(begin, max(b.mark(), begin + 3)))
    seen.within("peak", platform.peak_mb(), RSS_MAX_MB, " MB")


def g3(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    b = harness.neighbour(platform)
    a = platform.account("a", "1")
    before = b.for_seconds(BEFORE_SECONDS)
    begin = attacked(platform, b)
    body = json.dumps(chat("a" * (32 * MIB - 200))).encode()[:-1]

    def unfinished(_: int) -> tuple[object, bool]:
        connection = opened(platform, 20)
        return connection, send(connection, head(a.key, len(body) + 1) + body)

    held = at_once(40, unfinished)
    pause(1)
    seen.note("bodies taken whole", sum(taken for _, taken in held))
    seen.within("peak", platform.peak_mb(), RSS_MAX_MB, " MB")
    seen.beside(before, b.since(begin))
    close(connection for connection, _ in held)  # type: ignore[misc]


ATTACKS: Final = (
    Attack("G1", "work and memory of one test call are bounded as a product", g1),
    Attack("G2", "a body of millions of values stops nobody, whoever may not pay for it", g2),
    Attack("G3", "bytes of unfinished bodies are bounded in all", g3),
)
