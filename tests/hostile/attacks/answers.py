"""More of G1's and G7's kind: answers that are large, many, slow or never end, of providers and of the simulator."""

from functools import partial
from typing import Any, Final

from tests.hostile.attacks.forms import Form, played
from tests.hostile.harness import Attack, AttackHarness, Observations
from tests.hostile.launcher import AttackedPlatform, TenantAccount, chat
from tests.hostile.wire import at_once, close, head, opened, padded, send, status


def _many(
    platform: AttackedPlatform, a: TenantAccount, count: int, body: dict[str, Any], path: str = "chat/completions"
) -> str:
    return str(sorted(set(at_once(count, lambda _: _one(platform, a, body, path)))))


def _one(
    platform: AttackedPlatform, a: TenantAccount, body: dict[str, Any], path: str, headers: dict[str, str] | None = None
) -> int:
    return platform.ask(body, f"/v1/{path}", key=a.key, seconds=30, headers=headers).status


def large(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    b = harness.neighbour(platform)
    a = platform.open_wide(platform.account("a", "1000"))
    many = partial(_many, platform, a)
    vectors = {"model": "house-1", "input": ["a"] * 2048, "dimensions": 1024}
    forms: list[Form] = [
        ("a whole answer of 60 MB", lambda: many(1, chat("[[fill=60000000]]"))),
        ("10 of 30 MB at once", lambda: many(10, chat("[[fill=30000000]]"))),
        ("10 of 3 MB, counted", lambda: many(10, chat("[[fill=3000000&usage=no]]"))),
        ("one event of 30 MB", lambda: many(1, chat("[[fill=30000000]]", stream=True))),
        ("10 events of 3 MB, counted", lambda: many(10, chat("[[fill=3000000&usage=no]]", stream=True))),
        ("20,000 events", lambda: many(1, chat("[[words=20000]]", stream=True))),
        ("10 streams of 10,000 events, counted", lambda: many(10, chat("[[words=10000&usage=no]]", stream=True))),
        ("2,048 vectors of 1,024", lambda: many(1, vectors, "embeddings")),
        ("the same in base64", lambda: many(1, {**vectors, "encoding_format": "base64"}, "embeddings")),
        ("an error of 2 MB, 20 times", lambda: many(20, chat("[[status=400&shape=huge]]"))),
        ("an error nested 5,000 deep", lambda: many(20, chat("[[status=400&shape=deep]]"))),
        ("100 that hang and are left", partial(_hung, platform, a)),
    ]
    played(platform, b, seen, forms)


def _hung(platform: AttackedPlatform, a: TenantAccount) -> str:
    body = padded(300, "[[hang=1]]")
    connections = [opened(platform, 1) for _ in range(100)]
    for connection in connections:
        send(connection, head(a.key, len(body)) + body)
    shown = status(connections[0])
    close(connections)
    return str(shown)


def simulated(harness: AttackHarness, seen: Observations) -> None:
    """Test keys pay nothing, so they must cost little."""
    platform = harness.platform()
    b = harness.neighbour(platform)
    a = platform.account("a", mode="test")
    deep: dict[str, Any] = {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}
    names = [f"p{number}" for number in range(20_000)]
    wide = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": names}
    many = {"type": "array", "minItems": 10**9, "items": {}}
    tool = {"type": "function", "function": {"name": "f", "parameters": many}}

    def scripted(count: int, script: str, **members: Any) -> str:
        header = {"x-tollhouse-simulate": script}
        body = chat(**members)
        return str(sorted(set(at_once(count, lambda _: _one(platform, a, body, "chat/completions", header)))))

    def shaped(schema: dict[str, Any]) -> str:
        wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}
        return _many(platform, a, 1, chat(response_format=wanted))

    vectors = {"model": "house-1", "input": ["a"] * 2048, "dimensions": 10**6}
    smaller = {**vectors, "dimensions": 3072}
    forms: list[Form] = [
        ("tokens=10^9", lambda: scripted(1, "tokens=1000000000")),
        ("tokens=10^9, streamed, 20 at once", lambda: scripted(20, "tokens=1000000000", stream=True)),
        ("n of 128 x tokens=100000", lambda: scripted(10, "tokens=100000", n=128)),
        ("50 that sleep", lambda: scripted(50, "first_byte_ms=3000")),
        ("a script of 60 KB", lambda: scripted(1, "times=1," * 7000)),
        ("minItems 10^9", lambda: shaped(many)),
        ("minLength 10^9", lambda: shaped({"type": "string", "minLength": 10**9})),
        ("a schema that holds itself", lambda: shaped(deep)),
        ("20,000 properties", lambda: shaped(wide)),
        ("an enum of 5 MB", lambda: shaped({"enum": ["x" * 5_000_000]})),
        ("a pattern that backtracks", lambda: shaped({"type": "string", "pattern": "(a+)+$" * 20})),
        ("a forced tool of 10^9 items", lambda: _many(platform, a, 1, chat(tools=[tool], tool_choice="required"))),
        ("2,048 vectors of 10^6", lambda: _many(platform, a, 1, vectors, "embeddings")),
        ("2,048 vectors of 3,072, 10 at once", lambda: _many(platform, a, 10, smaller, "embeddings")),
    ]
    played(platform, b, seen, forms)


ATTACKS: Final = (
    Attack("LARGE", "answers of any size and number: loop, memory and B", large),
    Attack("TESTKEY", "what a test key asks of the simulator is bounded as a product", simulated),
)
