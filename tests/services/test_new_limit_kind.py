"""A limit kind is one file: it is set, shown, counted, corrected and refused by what it declares."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.gateway.fakes import FakeCallerConnection
from tests.gateway.harness import asking
from tests.services.harness import OPERATOR, SettableClock, run
from tests.services.integrated_harness import harness
from tollhouse.access.secrets import digest
from tollhouse.core.catalogue import Plan
from tollhouse.core.failure import BadRequest, RateLimited
from tollhouse.edge.reply import headers_of
from tollhouse.gateway.explain import explain
from tollhouse.gateway.flow import serve
from tollhouse.limits.discovery import HERE, limit_kinds
from tollhouse.limits.kind import LimitKindSpec
from tollhouse.limits.rules import Rules
from tollhouse.services import limits
from tollhouse.services.context import ServiceContext

FILE = '''
"""How many characters of input may come in a minute."""

from tollhouse.core.usage import Usage
from tollhouse.limits.kind import LimitKindSpec
from tollhouse.limits.rules import Rules
from tollhouse.limits.unit_rate import UnitRate


def _reserves(tokens: int, units: Usage) -> int:
    return units.characters


def _uses(reserved: int, used: Usage) -> int:
    return used.characters or (reserved if used.tokens_in() else 0)


KIND = LimitKindSpec(
    name="characters_per_minute",
    order=40,
    counter=lambda: UnitRate("characters"),
    reserves=_reserves,
    uses=_uses,
    header="characters",
)
'''


@pytest.fixture
def kinds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sequence[LimitKindSpec]:
    """The kinds of the platform and one of a package of its own, which holds one file."""
    package = tmp_path / "more_limits"
    package.mkdir()
    (package / "characters.py").write_text(FILE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return limit_kinds(HERE, "more_limits")


def test_a_limit_kind_is_added_as_one_file(tmp_path: Path, kinds: Sequence[LimitKindSpec]) -> None:
    assert [kind.name for kind in kinds] == [
        "parallel_requests",
        "requests_per_minute",
        "tokens_per_minute",
        "characters_per_minute",
    ]

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        made = await harness(services, clock)
        size = len(asking(max_tokens=12))
        with pytest.raises(BadRequest, match="characters_per_minute"):
            await limits.put(services, OPERATOR, {"letters_per_minute": 1}, account=made.account_id)
        maximum = {"characters_per_minute": 2 * size, "parallel_requests": 5}
        await limits.put(services, OPERATOR, maximum, account=made.account_id)

        client = FakeCallerConnection(asking(max_tokens=12))
        first = await made.call(client)
        assert (b"x-ratelimit-limit-characters", b"%d" % (2 * size)) in client.headers
        assert (b"x-ratelimit-remaining-characters", b"%d" % size) in client.headers
        record = await services.rows.read(lambda tables: tables.requests.get(first))
        assert record is not None
        assert [(one.kind, one.before, one.after) for one in record.limits] == [
            ("parallel_requests", 0, 1),
            ("characters_per_minute", 0, size),
        ]
        caller = services.directory.find(digest(made.secrets["live"]))
        assert caller is not None
        explained = await explain(made.harness.gateway, caller, "chat", [], asking(max_tokens=12))
        needs = {one["name"]: one["needs"] for one in explained.limits}
        assert needs == {"parallel_requests": 1, "characters_per_minute": size}
        await made.call(FakeCallerConnection(asking(max_tokens=12)))

        call = made.harness.call(FakeCallerConnection(asking(max_tokens=12)), key=made.secrets["live"])
        with pytest.raises(RateLimited) as refused:
            await serve(made.harness.gateway, call)
        failure, headers = refused.value, dict(headers_of(refused.value))
        assert failure.status == 429
        assert f"The limit of {2 * size} characters per minute of the account {made.account_id}" in failure.message
        assert headers[b"x-ratelimit-remaining-characters"] == b"0"
        assert 0 < int(headers[b"retry-after-ms"]) <= 60_000

        found = await limits.show(services, OPERATOR, account=made.account_id)
        standing = next(one for one in found if one.rule is not None and one.rule.kind == "characters_per_minute")
        assert standing.shown is not None
        assert (standing.shown.limit, standing.shown.used) == (2 * size, 2 * size)
        made.harness.clock.ms = clock.ms = clock.ms + 60_000
        await made.call(FakeCallerConnection(asking(max_tokens=12)))
        assert services.rate_limiter.rules.names == tuple(kind.name for kind in kinds)

    run(tmp_path, scenario, kinds=kinds)

    async def without(services: ServiceContext, clock: SettableClock) -> None:
        """The same database, where nobody knows the kind any more: its rules are kept and do not hold."""
        account_id = next(iter(services.directory.accounts))
        found = await limits.show(services, OPERATOR, account=account_id)
        holding = {one.rule.kind: one.shown is not None for one in found if one.rule is not None}
        assert holding == {"parallel_requests": True, "characters_per_minute": False}

    run(tmp_path, without)


def test_a_plan_sets_it_by_its_name(kinds: Sequence[LimitKindSpec]) -> None:
    plan = Plan(id="default", limits={"characters_per_minute": 3})
    slots = Rules((), kinds).slots((("account", "acc_a"),), plan, 0)
    assert [(slot.kind, slot.limit.maximum, slot.rule) for slot in slots] == [("characters_per_minute", 3, None)]


def test_two_kinds_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two limit kinds"):
        limit_kinds(HERE, HERE)
