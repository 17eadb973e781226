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

from tests.walks import rooms
from tests.walks.house import JSON, House, Reply, bearer
from tests.walks.rooms import Room

CONFIG = """
[providers.walked]
kind = "simulator"

[models."omni-moderation-latest"]
offers = [{ provider = "walked", model = "omni-moderation-latest" }]
price = { input = "1" }
"""
STREAMS = frozenset({"chat", "completions", "responses"})
LEVELS = ("account", "project", "key")


class Walk(Struct, frozen=True):
    """One call and one level of budget, with an account of its own."""

    room: Room
    stream: bool
    level: str

    @property
    def name(self) -> str:
        form = "stream" if self.stream else "whole"
        return f"{self.room.path.removeprefix('/v1/').replace('/', '-')}-{form}-{self.level}"

    @property
    def body(self) -> bytes:
        said = json.loads(self.room.body or b"{}")
        asked = {"stream_options": {"include_usage": True}} if self.room.operation in ("chat", "completions") else {}
        return json.dumps({**said, "stream": True, **asked} if self.stream else said).encode()


class Purse(Struct, frozen=True):
    """What a walk's budget says of itself, in USD."""

    limit: Decimal
    used: Decimal
    held: Decimal


WALKS = [
    Walk(room, stream, level)
    for room in rooms.calls()
    for stream in ((False, True) if room.operation in STREAMS else (False,))
    for level in LEVELS
]


class Spender:
    """The caller of one walk."""

    def __init__(self, house: House, walk: Walk) -> None:
        self.house, self.walk = house, walk
        house.operator("accounts.create", name=walk.name)
        house.operator("credits.grant", account=walk.name, amount_usd="1000", reason="a walk")
        house.operator("projects.create", name=f"{walk.name}-project", account=walk.name)
        self.secret = house.key(walk.name, account=walk.name, project=f"{walk.name}-project")
        self.allow("10")

    def allow(self, usd: str) -> None:
        """Set the walk's budget, which goes on counting."""
        level, name = self.walk.level, self.walk.name
        of = {level: name if level != "project" else f"{name}-project"}
        self.house.operator("budgets.set", **of, amount_usd=usd, window="total")

    def call(self) -> Reply:
        reply = self.house.ask("POST", self.walk.room.path, {**JSON, **bearer(self.secret)}, self.walk.body)
        if self.walk.stream and reply.status == 200:
            assert reply.headers["content-type"].startswith("text/event-stream")
        return reply

    def purse(self) -> Purse:
        (one,) = self.house.get("/v1/key", self.secret).json["budgets"]
        assert one["level"] == self.walk.level
        return Purse(Decimal(one["limit_usd"]), Decimal(one["used_usd"]), Decimal(one["held_usd"]))

    def balance(self) -> Decimal:
        return Decimal(self.house.get("/v1/key", self.secret).json["balance"]["balance_usd"])


def charge_of(reply: Reply) -> Decimal | None:
    """What an answer says it cost, if it says so."""
    header = reply.headers.get("x-tollhouse-charge-usd")
    if header is not None:
        return Decimal(header)
    events = [line.removeprefix(b"data: ") for line in reply.body.splitlines() if line.startswith(b"data: {")]
    told = [json.loads(event).get("tollhouse") for event in events]
    return next((Decimal(one["charge_usd"]) for one in told if one), None)


def restarted(house: House) -> House:
    """The same platform again, in its own folder."""
    house.close()
    return House(house.folder, CONFIG)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Spender, Reply, Purse, Reply, Purse]]]:
    """Every walk, up to the refused call; then the platform is started anew."""
    house = House(tmp_path_factory.mktemp("pays") / "demo", CONFIG)
    found = {}
    for walk in WALKS:
        spender = Spender(house, walk)
        answered = spender.call()
        spent = spender.purse()
        spender.allow(f"{spent.used:f}")  # not a nano-dollar more
        found[walk.name] = (spender, answered, spent, spender.call(), spender.purse())
    house = restarted(house)
    for spender, *_ in found.values():
        spender.house = house
    yield found
    house.close()


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.name)
def test_incident_11_the_spend_moves_the_cap_binds_and_a_restart_changes_neither(
    walked: dict[str, tuple[Spender, Reply, Purse, Reply, Purse]], walk: Walk
) -> None:
    spender, answered, spent, refused, after = walked[walk.name]
    assert answered.status == 200, answered.body
    assert spent.used > 0
    assert spent.held == 0
    charge = charge_of(answered)
    assert charge == (spent.used if charge is not None else None)
    assert charge is not None or (walk.stream and walk.room.operation == "responses"), "only there it has no place"
    assert refused.verdict == (429, "insufficient_quota")
    assert walk.level in refused.error["message"]
    assert after == Purse(limit=spent.used, used=spent.used, held=Decimal(0))
    assert spender.purse() == after, "after the restart"
    assert spender.call().verdict == (429, "insufficient_quota")
    assert spender.purse() == after
    assert spender.balance() == 1000 - spent.used
    spender.allow("10")
    again = spender.call()
    assert again.status == 200, "the cap is lifted at once"
    assert spender.purse().used > after.used


def test_every_call_of_the_router_is_walked() -> None:
    assert {walk.room.path for walk in WALKS} == {room.path for room in rooms.calls()}
    assert {walk.room.operation for walk in WALKS} >= STREAMS
