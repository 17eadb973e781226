"""The gate: which limits a call has to pass, and passing them all or none."""

from collections.abc import Callable, Sequence
from typing import Final, Literal

from msgspec import Struct, to_builtins

from tollhouse.core.account import Account, Identity
from tollhouse.core.catalogue import Catalogue, Model, Plan
from tollhouse.core.failure import RateLimited
from tollhouse.core.limit import LimitKind, LimitLevel
from tollhouse.core.operation import Dialect
from tollhouse.core.upstream import Headers
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import LimitSnapshot
from tollhouse.limits.bucket import MINUTE_MS, RateBucket
from tollhouse.limits.counter_key import Limit
from tollhouse.limits.parallel import Parallel
from tollhouse.limits.requests import RequestRate
from tollhouse.limits.rules import ApplicableLimits, Rules, Slot, over
from tollhouse.limits.status import headers, instant, tightest
from tollhouse.limits.tokens import TokenRate


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
        self._parallel = Parallel()
        self._rate = RequestRate()
        self._tokens = TokenRate()

    def enter(self, identity: Identity, now_ms: int, dialect: Dialect) -> "TakenParallelSlot":
        """See the port. Limits of single models are looked at once the model is known. dialect: see `admit`."""
        limits = self.rules.of(identity, "", self.plan(identity.account), now_ms)
        contact = self._contact
        try:
            self._parallel.check(limits.parallel, contact)
            self._rate.check(limits.requests, now_ms, contact)
            self._tokens.check(limits.tokens, 0, now_ms, contact)
        except RateLimited as refused:
            refused.headers += tuple(self.headers(limits, dialect, now_ms))
            raise
        self._parallel.take(limits.parallel)
        return TakenParallelSlot(self._parallel, limits.parallel)

    def admit(self, identity: Identity, model: Model, tokens: int, now_ms: int, dialect: Dialect) -> "CountedCall":
        """See the port. First every limit is checked, then the call is counted at every one: nothing comes between.

        dialect: whose headers the answer carries. A refusal carries them too.
        """
        limits = self.rules.of(identity, model.id, self.plan(identity.account), now_ms)
        contact = self._contact
        try:
            if limits.parallel:
                self._parallel.check(limits.parallel, contact)
            in_minute = self._rate.check(limits.requests, now_ms, contact) if limits.requests else _NONE
            of_tokens = self._tokens.check(limits.tokens, tokens, now_ms, contact) if limits.tokens else _NONE
        except RateLimited as refused:
            refused.headers += tuple(self.headers(limits, dialect, now_ms))
            raise
        passed = self._passed(limits, in_minute, of_tokens, tokens)
        self._parallel.take(limits.parallel)
        self._rate.take(in_minute)
        self._tokens.take(of_tokens, tokens)
        return CountedCall(self, limits, tokens, dialect, passed)

    def refusal_of(self, identity: Identity, model: Model, tokens: int, now_ms: int) -> RateLimited | None:
        """See the port."""
        limits = self.rules.of(identity, model.id, self.plan(identity.account), now_ms)
        try:
            self._parallel.check(limits.parallel, self._contact)
            self._rate.check(limits.requests, now_ms, self._contact)
            self._tokens.check(limits.tokens, tokens, now_ms, self._contact)
        except RateLimited as refused:
            return refused
        return None

    def release(
        self, limits: ApplicableLimits, reserved: int, used: int, now_ms: int, *, refused: bool = False
    ) -> None:
        """A call is over that had been let in by these limits; `refused`: by others, before it was made."""
        self._parallel.release(limits.parallel)
        if refused:
            self._rate.give_back(limits.requests, now_ms)
        self._tokens.correct(limits.tokens, reserved, used, now_ms)

    def headers(self, limits: ApplicableLimits, dialect: Dialect, now_ms: int) -> Headers:
        """How the tightest limits of requests and of tokens stand."""
        shown: Headers = []
        if limits.requests and (standing := tightest(self._rate.status(limits.requests, now_ms))):
            shown += headers(standing, "requests", dialect, now_ms)
        if limits.tokens and (standing := tightest(self._tokens.status(limits.tokens, now_ms))):
            shown += headers(standing, "tokens", dialect, now_ms)
        return shown

    def status(self, identity: Identity, now_ms: int, model: str | None = None) -> list[dict[str, object]]:
        """See the port."""
        objects = over(identity.key) if model is None else (*over(identity.key), ("model", model))
        slots = self.rules.slots(objects, self.plan(identity.account), now_ms, model)
        return [to_builtins(self.shown(slot, now_ms)) for slot in slots]

    def forget_idle(self, now_ms: int) -> None:
        """For a timer: drop what has run empty, and mend what a clock that was set back left in the future."""
        self._rate.sweep(now_ms)
        self._tokens.sweep(now_ms)

    def _passed(
        self, limits: ApplicableLimits, in_minute: Sequence[RateBucket], of_tokens: Sequence[RateBucket], tokens: int
    ) -> tuple[LimitSnapshot, ...]:
        """How every limit stands before a call is counted, and will stand with it."""
        found = []
        for counter_key, maximum in limits.parallel:
            used = self._parallel.used(counter_key)
            found.append(
                LimitSnapshot("parallel_requests", counter_key.level, maximum, used, used + 1, counter_key.model)
            )
        buckets = iter(in_minute)
        for counter_key, maximum in limits.requests:
            used = -(-next(buckets).spent // MINUTE_MS)
            found.append(
                LimitSnapshot("requests_per_minute", counter_key.level, maximum, used, used + 1, counter_key.model)
            )
        buckets = iter(of_tokens)
        for counter_key, maximum in limits.tokens:
            used = -(-next(buckets).spent // MINUTE_MS)
            found.append(
                LimitSnapshot("tokens_per_minute", counter_key.level, maximum, used, used + tokens, counter_key.model)
            )
        return tuple(found)

    def plan(self, account: Account) -> Plan | None:
        return self._catalogue().plans.get(account.plan)

    def shown(self, slot: Slot, now_ms: int) -> LimitView:
        """How one limit stands; looking changes nothing."""
        limit, rule = slot.limit, slot.rule
        if slot.kind == "parallel_requests":
            used, reset_ms = self._parallel.used(limit.key), None
            remaining = max(0, limit.maximum - used)
        else:
            kind = self._rate if slot.kind == "requests_per_minute" else self._tokens
            _, remaining, reset_ms = kind.status((limit,), now_ms)[0]
            used = limit.maximum - remaining
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

    __slots__ = ("_limits", "_open", "_parallel")

    def __init__(self, parallel: Parallel, limits: Sequence[Limit]) -> None:
        self._parallel = parallel
        self._limits = limits
        self._open = True

    def release(self) -> None:
        if not self._open:
            raise AssertionError("a place is given back once")
        self._open = False
        self._parallel.release(self._limits)


class CountedCall:
    """See `gateway.ports.AdmittedCall`."""

    __slots__ = ("_dialect", "_gate", "_limits", "_open", "_reserved", "passed")

    def __init__(
        self,
        rate_limiter: InMemoryRateLimiter,
        limits: ApplicableLimits,
        reserved: int,
        dialect: Dialect,
        passed: tuple[LimitSnapshot, ...] = (),
    ) -> None:
        self._gate = rate_limiter
        self._limits = limits
        self._reserved = reserved
        self._dialect = dialect
        self._open = True
        self.passed = passed

    def headers(self, now_ms: int) -> Headers:
        return self._gate.headers(self._limits, self._dialect, now_ms)

    def release(self, used: Usage, now_ms: int, *, refused: bool = False) -> None:
        """Ends exactly once."""
        if not self._open:
            raise AssertionError("a call leaves exactly once")
        self._open = False
        tokens = used.tokens_in() + used.tokens_out()
        self._gate.release(self._limits, self._reserved, tokens, now_ms, refused=refused)


_NONE: Final[Sequence[RateBucket]] = ()
