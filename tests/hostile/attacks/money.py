"""A1 to A6, B1, B2: calls that cost more than was held for them, or less than they cost us."""

import base64
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from tests.hostile.harness import Attack, AttackHarness, Observations
from tests.hostile.launcher import AttackedPlatform, AttackReply, Launch, TenantAccount, chat
from tests.hostile.wire import at_once, head, opened, padded, send, status

AT_ONCE: Final = 20
DEAR: Final = "[[prompt=100000&completion=10]]"
SOUND_MODEL: Final = """
[models.heard]
offers = [{ provider = "up", model = "up-heard" }]
context_tokens = 128000
price = { input = "0.01", output = "0.01", per_second = "0.0001" }
"""
HOSTED_MODEL: Final = """
[models.hosted]
offers = [{ provider = "up", model = "up-hosted" }]
context_tokens = 200000
price = { input = "2.50", output = "10.00", per_search = "0" }
"""


def respond(text: str, **members: Any) -> dict[str, Any]:
    return {"model": "house-1", "input": text, **members}


def spent_at_once(
    platform: AttackedPlatform,
    seen: Observations,
    name: str,
    usd: str,
    body: Mapping[str, Any],
    path: str = "/v1/chat/completions",
    overrun: str = "0",
) -> None:
    """20 such calls at once on so much money: the balance must not end below zero, but by `overrun` (USD for each call
    that was served), where docs/money.md names one."""
    a = platform.open_wide(platform.account(name, usd))
    served = at_once(AT_ONCE, lambda _: platform.ask(body, path, key=a.key).status).count(200)
    not_below_zero(platform, seen, name, a, f"{served} of {AT_ONCE} served", served * Decimal(overrun))


def not_below_zero(
    platform: AttackedPlatform, seen: Observations, name: str, a: TenantAccount, how: str, overrun: Decimal = Decimal(0)
) -> None:
    left = platform.balance(a)
    seen.must(name, left >= -overrun, f"{left} USD, {how}")


def a1(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    readers: Mapping[str, object] = {
        "plugins": [{"id": "web"}],
        "search_parameters": {"mode": "on"},
        "web_search_options": {},
        "enable_search": True,
    }
    for member, value in readers.items():
        body = respond(DEAR, max_output_tokens=10, **{member: value})
        spent_at_once(platform, seen, member, "0.01", body, "/v1/responses")


def a2(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    writes = "[[words=16384&reads=max_tokens]]"
    for streamed in (False, True):
        body = chat(writes, max_completion_tokens=1, stream=streamed)
        spent_at_once(platform, seen, "streamed" if streamed else "buffered", "0.05", body)
    a = platform.account("capped", "1")
    most = {"x-tollhouse-max-cost-usd": "0.001"}
    reply = platform.ask(chat(writes, max_completion_tokens=1), key=a.key, headers=most)
    charged = 1 - platform.balance(a)
    seen.must("with a maximum of 0.001 USD", charged <= Decimal("0.001"), f"{charged} USD, {reply.status}")


LINK: Final = "https://example.com/f"
PARTS: Final[Mapping[str, object]] = {
    "video": {"type": "video", "video": [LINK] * 8},
    "document_url": {"type": "document_url", "document_url": LINK},
    "source.url": {"type": "document", "source": {"type": "url", "url": LINK}},
    "fileData": {"fileData": {"fileUri": LINK}},
    "file.file_uri": {"type": "file", "file": {"file_uri": LINK}},
}


def a3(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    for name, part in PARTS.items():
        body = chat([{"type": "text", "text": DEAR}, part], max_tokens=10)
        spent_at_once(platform, seen, name, "0.05", body)


def a4(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform(Launch(more=SOUND_MODEL))
    data = base64.b64encode(b"x" * 3000).decode()
    part = {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}
    a = platform.open_wide(platform.account("a", "0.05"))
    content = [{"type": "text", "text": "[[sound=30000]]"}, part]
    reply = platform.ask(chat(content, "heard", max_tokens=10), key=a.key)
    not_below_zero(platform, seen, "balance", a, f"{reply.status} {reply.code if reply.status != 200 else ''}")


def a5(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    for streamed in (True, False):
        a = platform.open_wide(platform.account(f"a{streamed}", "0.40"))
        body = padded(1_200_000, "[[delay_ms=2500&usage=no]]", max_tokens=10, stream=streamed)
        with opened(platform, 1) as connection:
            send(connection, head(a.key, len(body)) + body)
            seen.note("answer", status(connection))
        not_below_zero(platform, seen, "streamed" if streamed else "buffered", a, "left before the first byte")


TIERS: Final = (
    {"service_tier": "priority"},
    {"service_tier": "Priority"},
    {"service_tier": "flex"},
    {"service_tier": "scale"},
    {"serviceTier": "priority"},
    {"speed": "fast"},
)


def a6(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    a = platform.open_wide(platform.account("a", "1"))
    for members in TIERS:
        reply = platform.ask(chat(**members), key=a.key)
        seen.must(str(members), reply.status == 400, f"{reply.status} {reply.code if reply.status != 200 else ''}")
    for plain in ("auto", "default", "standard", None):
        reply = platform.ask(chat(service_tier=plain), key=a.key)
        seen.must(f"service_tier {plain}", reply.status == 200, reply.status)


def b1(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform(Launch(more=HOSTED_MODEL))
    a = platform.open_wide(platform.account("a", "100"))
    told = "[[prompt=600000&completion=20000]]"
    for tool in ("web_search", "file_search", "mcp"):
        body = {"model": "hosted", "input": told, "tools": [{"type": tool, "server_label": "x", "server_url": LINK}]}
        reply = platform.ask(body, "/v1/responses", key=a.key)
        receipt = platform.receipt(reply) if reply.status == 200 else {}
        charge, source = receipt.get("charge_usd"), receipt.get("usage_source")
        seen.must(tool, Decimal(charge or 0) == Decimal("1.7"), f"{charge} USD, {source}, {reply.status}")


def b2(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    a = platform.open_wide(platform.account("a", "10"))
    for member in ("reasoning_details", "thinking", "reasoning", "reasoning_content"):
        for streamed in (False, True):
            told = f"[[usage=no&words=400&reasoning={member}]]"
            reply = platform.ask(chat(told, stream=streamed), key=a.key)
            counted = _output(platform, reply)
            seen.must(f"{member}{' streamed' if streamed else ''}", counted >= 200, f"{counted} of 400 words")


def _output(platform: AttackedPlatform, reply: AttackReply) -> int:
    usage = platform.receipt(reply)["usage"]
    return int(usage.get("output", 0)) + int(usage.get("reasoning", 0))


ATTACKS: Final = (
    Attack("A1", "what makes a responses call read more is held: no balance below zero", a1, timed=False),
    Attack("A2", "a cap is sent by every name: no balance below zero, no charge above its maximum", a2, timed=False),
    Attack("A3", "a part of unknown type, or a link, is held as the dearest", a3, timed=False),
    Attack("A4", "seconds that a price names are held, or refused", a4, timed=False),
    Attack("A5", "our own count passes neither the context nor the hold", a5, timed=False),
    Attack("A6", "a dearer tier without a price is refused", a6, timed=False),
    Attack("B1", "what a hosted loop reports is its sum, and is charged", b1, timed=False),
    Attack("B2", "all that was shown counts", b2, timed=False),
)
