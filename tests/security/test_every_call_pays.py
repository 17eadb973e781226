"""Incident 11 of the peers: budgets that bound chat and ignored `/v1/responses` and `/v1/messages` (litellm 38176), and
a second cap, local to a process, that never began anew (40020).

Every call of the router, buffered and streamed, x every level of budget: the spend moves by exactly the charge, the cap
binds, and a restart changes neither. A new route is walked by standing in the router's table.
"""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from msgspec import Struct

from tests.security import endpoints
from tests.security.endpoints import EndpointCase
from tests.security.platform_process import JSON, DemoPlatform, DemoReply, bearer

CONFIG = """
[providers.walked]
kind = "simulator"

[models."omni-moderation-latest"]
offers = [{ provider = "walked", model = "omni-moderation-latest" }]
price = { input = "1" }
"""
STREAMS = frozenset({"chat", "completions", "responses", "images", "image_edits"})
LEVELS = ("account", "project", "key")


class EndpointCall(Struct, frozen=True):
    """One call and one level of budget, with an account of its own."""

    endpoint: EndpointCase
    stream: bool
    level: str

    @property
    def name(self) -> str:
        form = "stream" if self.stream else "whole"
        return f"{self.endpoint.path.removeprefix('/v1/').replace('/', '-')}-{form}-{self.level}"

    @property
    def body(self) -> bytes:
        said = json.loads(self.endpoint.body or b"{}")
        asked = (
            {"stream_options": {"include_usage": True}}
            if self.endpoint.operation in ("chat", "completions") and self.endpoint.dialect == "openai"
            else {}
        )
        return json.dumps({**said, "stream": True, **asked} if self.stream else said).encode()


class PaidAccount(Struct, frozen=True):
    """What a walk's budget says of itself, in USD."""

    limit: Decimal
    used: Decimal
    held: Decimal


WALKS = [
    EndpointCall(endpoint, stream, level)
    for endpoint in endpoints.calls()
    for stream in ((False, True) if endpoint.operation in STREAMS else (False,))
    for level in LEVELS
]


class Spender:
    """The caller of one walk."""

    def __init__(self, platform: DemoPlatform, visit: EndpointCall) -> None:
        self.platform, self.visit = platform, visit
        platform.operator("accounts.create", name=visit.name)
        platform.operator("credits.grant", account=visit.name, amount_usd="1000", reason="a walk")
        platform.operator("projects.create", name=f"{visit.name}-project", account=visit.name)
        self.secret = platform.key(visit.name, account=visit.name, project=f"{visit.name}-project")
        self.allow("10")

    def allow(self, usd: str) -> None:
        """Set the walk's budget, which goes on counting."""
        level, name = self.visit.level, self.visit.name
        of = {level: name if level != "project" else f"{name}-project"}
        self.platform.operator("budgets.set", **of, amount_usd=usd, window="total")

    def call(self) -> DemoReply:
        reply = self.platform.ask("POST", self.visit.endpoint.path, {**JSON, **bearer(self.secret)}, self.visit.body)
        if self.visit.stream and reply.status == 200:
            assert reply.headers["content-type"].startswith("text/event-stream")
        return reply

    def counter(self) -> PaidAccount:
        (one,) = self.platform.get("/v1/key", self.secret).json["budgets"]
        assert one["level"] == self.visit.level
        return PaidAccount(Decimal(one["limit_usd"]), Decimal(one["used_usd"]), Decimal(one["held_usd"]))

    def balance(self) -> Decimal:
        return Decimal(self.platform.get("/v1/key", self.secret).json["balance"]["balance_usd"])


def charge_of(reply: DemoReply) -> Decimal | None:
    """What an answer says it cost, if it says so."""
    header = reply.headers.get("x-tollhouse-charge-usd")
    if header is not None:
        return Decimal(header)
    events = [line.removeprefix(b"data: ") for line in reply.body.splitlines() if line.startswith(b"data: {")]
    told = [json.loads(event).get("tollhouse") for event in events]
    return next((Decimal(one["charge_usd"]) for one in told if one), None)


def restarted(platform: DemoPlatform) -> DemoPlatform:
    """The same platform again, in its own folder."""
    platform.close()
    return DemoPlatform(platform.folder, CONFIG)


@pytest.fixture(scope="module")
def visited(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[Spender, DemoReply, PaidAccount, DemoReply, PaidAccount]]]:
    """Every walk, up to the refused call; then the platform is started anew."""
    platform = DemoPlatform(tmp_path_factory.mktemp("pays") / "demo", CONFIG)
    found = {}
    for visit in WALKS:
        spender = Spender(platform, visit)
        answered = spender.call()
        spent = spender.counter()
        spender.allow(f"{spent.used:f}")  # not a nano-dollar more
        found[visit.name] = (spender, answered, spent, spender.call(), spender.counter())
    platform = restarted(platform)
    for spender, *_ in found.values():
        spender.platform = platform
    yield found
    platform.close()


@pytest.mark.parametrize("visit", WALKS, ids=lambda visit: visit.name)
def test_the_spend_moves_the_cap_binds_and_a_restart_changes_neither(
    visited: dict[str, tuple[Spender, DemoReply, PaidAccount, DemoReply, PaidAccount]], visit: EndpointCall
) -> None:
    spender, answered, spent, refused, after = visited[visit.name]
    assert answered.status == 200, answered.body
    assert spent.used > 0
    assert spent.held == 0
    charge = charge_of(answered)
    assert charge == (spent.used if charge is not None else None)
    assert charge is not None or (visit.stream and visit.endpoint.operation == "responses"), (
        "only there it has no place"
    )
    assert refused.verdict == (429, "insufficient_quota")
    assert visit.level in refused.error["message"]
    assert after == PaidAccount(limit=spent.used, used=spent.used, held=Decimal(0))
    assert spender.counter() == after, "after the restart"
    assert spender.call().verdict == (429, "insufficient_quota")
    assert spender.counter() == after
    assert spender.balance() == 1000 - spent.used
    spender.allow("10")
    again = spender.call()
    assert again.status == 200, "the cap is lifted at once"
    assert spender.counter().used > after.used


def test_every_call_of_the_router_is_visited() -> None:
    assert {visit.endpoint.path for visit in WALKS} == {endpoint.path for endpoint in endpoints.calls()}
    assert {visit.endpoint.operation for visit in WALKS} >= STREAMS
