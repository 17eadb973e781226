"""The slow, obvious model: what everybody has, owes and may still spend, in plain dicts, by the words of docs/money.md.

What is durable (`disk`) and what calls are admitted by (`memory`) are kept apart: a crash loses the second and the
first must be enough to make it again.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from tests.money import tariff
from tests.money.reference_calendar import DAY_MS, HOUR_MS, QUARTER_MS, window_ends_ms, window_starts_ms

FOREVER_MS = 10**15
Verdict = Literal["let in", "model_not_priced", "max_cost_exceeded", "insufficient_quota"]


@dataclass
class ReferenceCounter:
    """Nano-USD. `limit` None: any amount."""

    limit: int | None
    spent: int = 0
    overrun: int = 0
    held: int = 0

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.spent - self.held)

    @property
    def excess(self) -> int:
        """By how much `spent - overrun + held <= limit` is broken."""
        return 0 if self.limit is None else max(0, self.spent - self.overrun + self.held - self.limit)


@dataclass
class ReferenceLot:
    """Money that came in at once, and what is left of it. `ends_ms` None: never."""

    left: int
    ends_ms: int | None = None


@dataclass
class ReferenceAccount:
    """`debt`: what was spent beyond all lots."""

    id: str
    credit: int | None
    zone: str
    multiple: Fraction = Fraction(1)
    lots: list[ReferenceLot] = field(default_factory=list)
    debt: int = 0
    entries: list[tuple[str, int, str | None]] = field(default_factory=list)  # (kind, amount, request)
    put_in: int = 0
    spent: int = 0
    overrun: int = 0

    @property
    def limit(self) -> int | None:
        return None if self.credit is None else self.put_in + self.credit

    def receive(self, amount: int, ends_ms: int | None) -> None:
        """A debt is paid first."""
        paid = min(self.debt, amount)
        self.debt -= paid
        if amount > paid:
            self.lots.append(ReferenceLot(amount - paid, ends_ms))

    def spend(self, amount: int) -> None:
        taken = self.shares(amount)
        for lot, share in zip(self.lots, taken, strict=True):
            lot.left -= share
        self.debt += amount - sum(taken)
        self.lots = [lot for lot in self.lots if lot.left]

    def shares(self, amount: int) -> list[int]:
        """What each lot gives: what ends first goes first, and of what ends together or never, what came first."""
        shares = [0] * len(self.lots)
        for place in sorted(range(len(shares)), key=lambda place: self.lots[place].ends_ms or FOREVER_MS):
            shares[place] = min(self.lots[place].left, amount)
            amount -= shares[place]
        return shares


@dataclass
class ReferenceBudget:
    id: str
    account: str
    level: str
    object_id: str
    amount: int
    kind: str
    zone: str
    model: str | None
    system: bool
    since_ms: int
    alive: bool = True

    def starts_ms(self, time_ms: int) -> int:
        return self.since_ms if self.kind == "total" else window_starts_ms(self.kind, time_ms, self.zone)

    def covers(self, call: "ReferenceCall") -> bool:
        whose = {"key": call.key, "project": call.project, "account": call.account}[self.level]
        return self.alive and whose == self.object_id and self.counts(call.model)

    def counts(self, model: str) -> bool:
        if self.model is None:
            return True
        return model.startswith(self.model[:-1]) if self.model.endswith("*") else model == self.model

    @property
    def place(self) -> tuple[str, str, str, str | None, bool]:
        return self.level, self.object_id, self.kind, self.model, self.system


@dataclass
class ReferenceCall:
    """`hold` and `places` are what was reserved, and on which windows of which budgets."""

    id: str
    account: str
    project: str
    key: str
    mode: str
    model: str
    time_ms: int
    stream: bool
    body_bytes: int
    prompt_words: int
    cap: int | None
    answers: int = 1
    most: int | None = None
    free: bool = False
    prices: tariff.Tariff | None = None  # what its account pays
    hold: int | None = None
    added_cap: int | None = None
    allowed: int | None = None  # words of its answers that may pass; None: any number
    places: tuple[tuple[str, int], ...] = ()
    used: Mapping[str, int] = field(default_factory=dict)
    charged: int | None = None  # None: nothing is charged, and nothing stands in the ledger
    overrun: int = 0


@dataclass
class ReferenceModel:
    accounts: dict[str, ReferenceAccount] = field(default_factory=dict)
    budgets: dict[str, ReferenceBudget] = field(default_factory=dict)
    money: dict[str, ReferenceCounter] = field(default_factory=dict)  # memory, by account
    windows: dict[tuple[str, int], ReferenceCounter] = field(default_factory=dict)  # memory, by budget and start
    counters: dict[tuple[str, int], list[int]] = field(default_factory=dict)  # disk: opening, spent, overrun
    written: dict[str, ReferenceCall] = field(default_factory=dict)  # disk: every call with a record, in its order
    refunded: dict[str, int] = field(default_factory=dict)
    usage: Counter[tuple[Any, ...]] = field(default_factory=Counter)  # disk, as all sums
    account_usage: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    spend: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    rows: dict[str, list[tuple[int, tariff.Tariff]]] = field(default_factory=lambda: defaultdict(list))

    # people's actions

    def open_account(self, account_id: str, credit: int | None, zone: str) -> None:
        self.accounts[account_id] = ReferenceAccount(account_id, credit, zone)
        self.money[account_id] = ReferenceCounter(credit)

    def put_in(
        self, account_id: str, kind: str, amount: int, request: str | None = None, ends_ms: int | None = None
    ) -> None:
        """Or, where the amount is below nothing, take out."""
        account = self.accounts[account_id]
        account.entries.append((kind, amount, request))
        account.put_in += amount
        self.money[account_id].limit = account.limit
        if amount > 0:
            account.receive(amount, ends_ms)
        else:
            account.spend(-amount)

    def end_grants(self, now_ms: int) -> None:
        """What is left of each grant whose time is over goes back, but for what is held for calls: they spend first
        what ends first."""
        for account in self.accounts.values():
            counter = self.money[account.id]
            for lot, needed in zip(account.lots, account.shares(counter.held), strict=True):
                ended = lot.left - needed
                if lot.ends_ms is not None and lot.ends_ms <= now_ms and ended:
                    lot.left -= ended
                    account.entries.append(("expiry", -ended, None))
                    account.put_in -= ended
            account.lots = [lot for lot in account.lots if lot.left]
            counter.limit = account.limit

    def lend(self, account_id: str, credit: int | None) -> None:
        self.accounts[account_id].credit = credit
        self.money[account_id].limit = self.accounts[account_id].limit

    def set_budget(self, made: ReferenceBudget, now_ms: int) -> ReferenceBudget:
        """In the place of the one it replaces, which goes on counting unless its days begin elsewhere."""
        before = next((one for one in self.budgets.values() if one.alive and one.place == made.place), None)
        if before is not None and (made.kind == "total" or before.zone == made.zone):
            before.amount, before.zone = made.amount, made.zone
            for (budget_id, _), counter in self.windows.items():
                if budget_id == before.id:
                    counter.limit = made.amount
            return before
        if before is not None:
            before.alive = False
        self.budgets[made.id] = made
        opening = self.already_spent(made, now_ms)
        if opening:
            self.counters[made.id, made.starts_ms(now_ms)] = [opening, opening, 0]
            self.window(made, now_ms).spent = opening
        return made

    def already_spent(self, budget: ReferenceBudget, now_ms: int) -> int:
        """What the present window of a budget holds when it is made: charges that are durable."""
        if budget.kind == "total":
            return 0
        starts_ms = budget.starts_ms(now_ms)
        ends_ms = window_ends_ms(budget.kind, starts_ms, budget.zone)
        return sum(
            call.charged or 0
            for call in self.written.values()
            if starts_ms <= call.time_ms < ends_ms and call.mode == "live" and budget.covers(call)
        )

    def put_prices(self, wanted: Mapping[str, tariff.Tariff], now_ms: int) -> None:
        """What platform.toml says holds from now on, whatever was to hold by then; before now, what held before. An
        empty tariff is none."""
        for model, prices in wanted.items():
            earlier = [row for row in self.rows[model] if row[0] < now_ms]
            self.rows[model] = [*earlier, (now_ms, prices)]

    def price(self, model: str, at_ms: int) -> tariff.Tariff | None:
        standing = [row for row in self.rows[model] if row[0] <= at_ms]
        return standing[-1][1] or None if standing else None

    # calls

    def window(self, budget: ReferenceBudget, time_ms: int) -> ReferenceCounter:
        return self.windows.setdefault((budget.id, budget.starts_ms(time_ms)), ReferenceCounter(budget.amount))

    def admit(self, call: ReferenceCall, *, context: int, longest: int) -> Verdict:
        """Hold the worst that a call can cost on all that must pay for it, or on nothing."""
        if call.mode == "test":
            return "let in"
        budgets = [budget for budget in self.budgets.values() if budget.covers(call)]
        shut = any(budget.amount == 0 for budget in budgets)
        if call.free:
            return "insufficient_quota" if shut else "let in"
        prices = self.price(call.model, call.time_ms)
        if prices is None:
            return "model_not_priced"
        call.prices = tariff.times(prices, self.accounts[call.account].multiple)
        counters = [self.window(budget, call.time_ms) for budget in budgets] + [self.money[call.account]]
        left = min((counter.left for counter in counters if counter.left is not None), default=None)
        tokens_in = min(call.body_bytes, context)
        cap = call.cap
        if cap is None:
            cap = tariff.cap_to_add(call.prices, tokens_in, left, longest, call.answers)
            call.added_cap = cap if cap < longest else None
        amount = tariff.worst(call.prices, tokens_in, cap * call.answers)
        if call.most is not None and amount > call.most:
            return "max_cost_exceeded"
        if (left is not None and amount > left) or shut:
            return "insufficient_quota"
        for counter in counters:
            counter.held += amount
            assert counter.excess == 0 or amount == 0, "a call was let in for which there was no money"
        call.hold = amount
        call.allowed = self._allowed(call, tokens_in, cap * call.answers)
        call.places = tuple((budget.id, budget.starts_ms(call.time_ms)) for budget in budgets)
        return "let in"

    def _allowed(self, call: ReferenceCall, tokens_in: int, tokens_out: int) -> int | None:
        """Half more than was held for, for who pays in advance or has named a maximum; no more than that pays for."""
        assert call.prices is not None
        if self.accounts[call.account].credit is None and call.most is None:
            return None
        allowed = max(tokens_out + tokens_out // 2, tokens_out + 8)
        affordable = None if call.most is None else tariff.affords(call.prices, tokens_in, call.most)
        return allowed if affordable is None else min(allowed, affordable)

    def ends(self, call: ReferenceCall, used: Mapping[str, int] | None) -> None:
        """What a call used, and hence costs. None: we or the provider failed, or nothing was sent."""
        call.used = used or {}
        if used is None or call.mode == "test":
            call.charged = None
        elif call.prices is None or call.hold is None:
            call.charged = 0
        else:
            call.charged = tariff.charge(call.prices, used)
            call.overrun = max(0, call.charged - call.hold)

    def write(self, call: ReferenceCall) -> None:
        """The record of a call is durable, and whatever stands beside it."""
        assert call.id not in self.written, "a call was written down twice"
        self.written[call.id] = call
        charged = call.charged or 0
        for span in (QUARTER_MS, HOUR_MS, 8 * HOUR_MS, DAY_MS):
            start_ms = call.time_ms - call.time_ms % span
            group = (span, call.account, start_ms, call.project, call.key, call.model, call.mode)
            for name, figure in {"calls": 1, "charge": charged, **call.used}.items():
                if span in (QUARTER_MS, DAY_MS):
                    self.usage[(*group, name)] += figure
                if span in (HOUR_MS, DAY_MS) and call.mode == "live":
                    self.account_usage[call.account, span, start_ms, call.model, name] += figure
            for object_id in (call.account, call.project, call.key):
                self.spend[object_id, span, start_ms, call.model] += charged
        if call.charged is None:
            return
        account = self.accounts[call.account]
        account.entries.append(("charge", call.overrun - call.charged, call.id))
        if call.overrun:
            account.entries.append(("overrun", -call.overrun, call.id))
        account.spend(call.charged)
        account.spent += call.charged
        account.overrun += call.overrun
        for place in call.places:
            counter = self.counters.setdefault(place, [0, 0, 0])
            counter[1] += call.charged
            counter[2] += call.overrun

    def settle(self, call: ReferenceCall, *, charge: bool) -> None:
        """The hold of a call ends: by its charge, or by nothing."""
        if call.hold is None:
            return
        for counter in [self.windows[place] for place in call.places] + [self.money[call.account]]:
            counter.held -= call.hold
            if charge:
                counter.spent += call.charged or 0
                counter.overrun += call.overrun
        call.hold = None

    def crash(self) -> None:
        """Memory is made again from the disk; what was in flight is forgiven."""
        for account in self.accounts.values():
            self.money[account.id] = ReferenceCounter(account.limit, account.spent, account.overrun)
        self.windows = {
            (budget_id, start_ms): ReferenceCounter(self.budgets[budget_id].amount, spent, overrun)
            for (budget_id, start_ms), (_, spent, overrun) in deepcopy(self.counters).items()
        }
