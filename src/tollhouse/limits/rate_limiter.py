"""The gate: which limits a call has to pass, and passing them all or none."""

from collections.abc import Callable, Sequence
from typing import Final, Literal

from msgspec import Struct, to_builtins

from tollhouse.core.account import Account, Identity
from tollhouse.core.catalogue import Catalogue, Model, Plan
from tollhouse.core.failure import RateLimited
from tollhouse.core.limit import LimitKind, LimitLevel
from tollhouse.core.limit_status import WriteLimit, instant
from tollhouse.core.upstream import Headers
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import LimitSnapshot
from tollhouse.limits.counter_key import Limit
from tollhouse.limits.kind import Found, LimitCounter, LimitKindSpec
from tollhouse.limits.rules import ApplicableLimits, Rules, Slot, over
from tollhouse.limits.tightest import tightest

NO_UNITS: Final = Usage()

_Counted = tuple[LimitKindSpec, LimitCounter, Sequence[Limit], int, Found]
"""Of one kind: the limits that a call has passed, what it reserved of each, and where that is counted."""


class LimitView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A limit for people to read. `id`: of what it stands on. `reset_ms`: until it is wholly free again if nobody
    calls; None where that is when a call in flight ends. `source`: the account's plan, or a rule that somebody set."""

    name: LimitKind
    level: LimitLevel
    id: str
    model: str | None = None
    limit: int
    used: int
    remaining: int
    reset_ms: int | None = None
    source: Literal["plan", "rule"]
    until: str | None = None
    note: str = ""


class InMemoryRateLimiter:
    """See `gateway.ports.RateLimiter`. `catalogue` gives the configuration in force, `contact` who can raise a limit.

    `rules`: what people set beside the plans; put and remove them there.
    """

    def __init__(self, catalogue: Callable[[], Catalogue], contact: str = "", rules: Rules | None = None) -> None:
        self.rules = Rules() if rules is None else rules
        self._catalogue = catalogue
        self._contact = contact
        self._kinds: tuple[tuple[LimitKindSpec, LimitCounter], ...] = tuple(
            (kind, kind.counter()) for kind in self.rules.kinds
        )
        self._by_name = {kind.name: counter for kind, counter in self._kinds}

    async def enter(self, identity: Identity, now_ms: int, write: WriteLimit) -> "TakenParallelSlot":
        """See the port. Limits of single models are looked at once the model is known. write: see `admit`."""
        limits = self.rules.of(identity, "", self.plan(identity.account), now_ms)
        taken: list[tuple[LimitCounter, Sequence[Limit]]] = []
        try:
            for place, at in limits.by_kind:
                kind, counter = self._kinds[place]
                counter.check(at, 0, now_ms, self._contact)
                if kind.in_flight:
                    taken.append((counter, at))
        except RateLimited as refused:
            refused.headers += tuple(self.headers(limits, write, now_ms))
            raise
        for counter, held in taken:
            counter.take(held, 1)
        return TakenParallelSlot(taken, now_ms)

    async def admit(
        self, identity: Identity, model: Model, tokens: int, now_ms: int, write: WriteLimit, units: Usage = NO_UNITS
    ) -> "CountedCall | UnlimitedCall":
        """See the port. First every limit is checked, then the call is counted at every one: nothing comes between.

        write: the headers that the answer carries. A refusal carries them too.
        """
        plan = self._catalogue().plans.get(identity.account.plan)
        limits = self.rules.of(identity, model.id, plan, now_ms)
        if not limits.by_kind:
            return UNLIMITED
        kinds, contact = self._kinds, self._contact
        counted: list[_Counted] = []
        try:
            for place, at in limits.by_kind:
                kind, counter = kinds[place]
                reserves = kind.reserves
                reserved = 1 if reserves is None else reserves(tokens, units)
                counted.append((kind, counter, at, reserved, counter.check(at, reserved, now_ms, contact)))
        except RateLimited as refused:
            refused.headers += tuple(self.headers(limits, write, now_ms))
            raise
        passed = []
        for kind, counter, within, reserved, found in counted:
            for (counter_key, maximum), used in zip(within, counter.take(found, reserved)):  # noqa: B905 - one each
                level, model_id = counter_key.level, counter_key.model
                passed.append(LimitSnapshot(kind.name, level, maximum, used, used + reserved, model_id))
        return CountedCall(self, limits, counted, write, tuple(passed))

    async def refusal_of(
        self, identity: Identity, model: Model, tokens: int, now_ms: int, units: Usage = NO_UNITS
    ) -> RateLimited | None:
        """See the port."""
        limits = self.rules.of(identity, model.id, self.plan(identity.account), now_ms)
        try:
            for place, at in limits.by_kind:
                kind, counter = self._kinds[place]
                reserved = 1 if kind.reserves is None else kind.reserves(tokens, units)
                counter.check(at, reserved, now_ms, self._contact)
        except RateLimited as refused:
            return refused
        return None

    def reserved(self, kind: str, tokens: int, units: Usage) -> int:
        """See the port."""
        spec = next((spec for spec, _ in self._kinds if spec.name == kind), None)
        return 1 if spec is None or spec.reserves is None else spec.reserves(tokens, units)

    def headers(self, limits: ApplicableLimits, write: WriteLimit, now_ms: int) -> Headers:
        """How the tightest limit of each kind that has headers stands."""
        shown: Headers = []
        for place, at in limits.by_kind:
            kind, counter = self._kinds[place]
            if kind.header is not None and (standing := tightest(counter.status(at, now_ms))):
                shown += write(standing, kind.header, now_ms)
        return shown

    async def status(self, identity: Identity, now_ms: int, model: str | None = None) -> list[dict[str, object]]:
        """See the port."""
        objects = over(identity.key) if model is None else (*over(identity.key), ("model", model))
        slots = self.rules.slots(objects, self.plan(identity.account), now_ms, model)
        return [to_builtins(self.shown(slot, now_ms)) for slot in slots]

    def forget_idle(self, now_ms: int) -> None:
        """For a timer: drop what has run empty, and mend what a clock that was set back left in the future."""
        for _, counter in self._kinds:
            counter.sweep(now_ms)

    def plan(self, account: Account) -> Plan | None:
        return self._catalogue().plans.get(account.plan)

    def shown(self, slot: Slot, now_ms: int) -> LimitView:
        """How one limit stands; looking changes nothing."""
        limit, rule = slot.limit, slot.rule
        used, remaining, reset_ms = self._by_name[slot.kind].standing(limit, now_ms)
        return LimitView(
            name=slot.kind,
            level=limit.key.level,
            id=limit.key.id,
            model=limit.key.model or None,
            limit=limit.maximum,
            used=used,
            remaining=remaining,
            reset_ms=reset_ms,
            source="plan" if rule is None else "rule",
            until=None if rule is None or rule.until_ms is None else instant(rule.until_ms),
            note="" if rule is None else rule.note,
        )


class TakenParallelSlot:
    """See `gateway.bodies.ParallelSlot`."""

    __slots__ = ("_now_ms", "_open", "_taken")

    def __init__(self, taken: Sequence[tuple[LimitCounter, Sequence[Limit]]], now_ms: int) -> None:
        self._taken = taken
        self._now_ms = now_ms
        self._open = True

    async def release(self) -> None:
        if not self._open:
            raise AssertionError("a place is given back once")
        self._open = False
        for counter, at in self._taken:
            counter.end(at, 1, 1, self._now_ms)


class UnlimitedCall:
    """A call that had no limit to pass: nothing was counted, so it may be shared."""

    __slots__ = ()

    passed: tuple[LimitSnapshot, ...] = ()

    def headers(self, now_ms: int) -> Headers:
        return []

    async def release(self, used: Usage, now_ms: int, *, refused: bool = False) -> None:
        """Nothing was taken."""


UNLIMITED: Final = UnlimitedCall()


class CountedCall:
    """See `gateway.ports.AdmittedCall`."""

    __slots__ = ("_counted", "_limits", "_open", "_rate_limiter", "_write", "passed")

    def __init__(
        self,
        rate_limiter: InMemoryRateLimiter,
        limits: ApplicableLimits,
        counted: Sequence[_Counted],
        write: WriteLimit,
        passed: tuple[LimitSnapshot, ...] = (),
    ) -> None:
        self._rate_limiter = rate_limiter
        self._limits = limits
        self._counted = counted
        self._write = write
        self._open = True
        self.passed = passed

    def headers(self, now_ms: int) -> Headers:
        return self._rate_limiter.headers(self._limits, self._write, now_ms)

    async def release(self, used: Usage, now_ms: int, *, refused: bool = False) -> None:
        """Ends exactly once."""
        if not self._open:
            raise AssertionError("a call leaves exactly once")
        self._open = False
        for kind, counter, at, reserved, _ in self._counted:
            uses = kind.uses
            counter.end(at, reserved, reserved if uses is None else uses(reserved, used), now_ms, refused=refused)
