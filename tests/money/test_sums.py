"""After calls of every kind, with faults, all who count money say the same: receipts, records, ledger, sums of what was
spent, counters of budgets, the billing endpoints and the organization's costs."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

import pytest

from tests.end_to_end.platform_process import PlatformProcess
from tests.money.mixed_calls import MixedCaller, ask_all, mixture, provides
from tests.support.scripted_provider import ScriptedProvider
from tollhouse.billing.ledger import Transfer
from tollhouse.core.amount import format_usd
from tollhouse.core.money import Money
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.requests import SqlUsageRecordRepository
from tollhouse.store.tables import SqlRepositories

MORE = """
[models."uneven"]
offers = [{ provider = "up", model = "up-house" }]
context_tokens = 128000
price = { input = "0.000333", cache_read = "0.0001", output = "0.0007777", per_request = "0.000001" }

[models."stepped"]
offers = [{ provider = "up", model = "up-house" }]
context_tokens = 128000

[models."stepped".price]
input = "1"
output = "2"
reasoning = "2.5"
tiers = [{ above_input_tokens = 40, input = "3.0000005", output = "6" }]
"""
MODELS = ("house-1", "uneven", "stepped")
RECEIPTS_MAX = 300  # asked for one by one; all others are read as records
CENT, USD = 10**7, 10**9  # nano-USD
DAY_MS = 86_400_000
ENDINGS = {
    "finished",
    "refused",
    "failed_before_first_byte",
    "failed_after_first_byte",
    "client_left_after_first_byte",
}


WINDOWS = (("total", None), ("day", "Asia/Kathmandu"), ("week", None), ("month", "Europe/Berlin"))
Which = Callable[[UsageRecord], bool]


def of(**members: str) -> Which:
    """The calls whose members are these."""
    return lambda one: all(getattr(one, name) == value for name, value in members.items())


class Payers:
    """Two accounts: one on credit with two projects and three keys, one that pays beforehand and runs out of money.
    Budgets of every window on every level of the first, large enough to let everything in."""

    def __init__(self, platform: PlatformProcess, name: str, prepaid: int) -> None:
        self.platform = platform
        self.on_credit = self._account(f"{name} on credit", "unlimited")
        self.prepaid = self._account(f"{name} prepaid", "0")
        platform.manage("POST", "/credits", {"account": self.prepaid, "amount_usd": format_usd(prepaid)})
        other = platform.manage("POST", "/projects", {"name": "other", "account": self.on_credit})["id"]
        self.callers = [
            self._key(self.on_credit, None),
            self._key(self.on_credit, other),
            self._key(self.on_credit, other),
            self._key(self.prepaid, None),
        ]
        self.admins = {account: self._admin(account) for account in (self.on_credit, self.prepaid)}
        self.budgets: dict[str, Which] = {}
        for caller in self.callers[:2]:
            for window, zone in WINDOWS:
                self._budget(of(key_id=caller.key), window, zone, key=caller.key)
                self._budget(of(project_id=caller.project), window, zone, project=caller.project)
                self._budget(of(account_id=caller.account), window, zone, account=caller.account)
        uneven = of(account_id=self.on_credit, model="uneven")
        self._budget(uneven, "total", None, account=self.on_credit, model="un*")

    def _account(self, name: str, credit: str) -> str:
        made = self.platform.manage("POST", "/accounts", {"name": name, "credit_limit_usd": credit})
        return str(made["id"])

    def _key(self, account: str, project: str | None) -> MixedCaller:
        given = {"name": "caller", "account": account, "project": project}
        made = self.platform.manage("POST", "/keys", given)
        return MixedCaller(account, made["project_id"], made["id"], made["secret"])

    def _admin(self, account: str) -> str:
        made = self.platform.manage("POST", "/keys", {"name": "admin", "account": account, "mode": "admin"})
        return str(made["secret"])

    def _budget(self, counts: Which, window: str, zone: str | None, **where: str) -> None:
        """A budget of this place takes the place of the one before."""
        given = {"amount_usd": "1000", "window": window, "zone": zone, **where}
        self.budgets[self.platform.manage("POST", "/budgets", given)["id"]] = counts


def records_of(platform: PlatformProcess, accounts: tuple[str, ...], count: int) -> list[UsageRecord]:
    """Of all calls, as soon as they are all written down: who leaves does not wait for his record."""

    def question(tables: SqlRepositories) -> list[UsageRecord]:
        found: list[UsageRecord] = []
        for account in accounts:
            found += SqlUsageRecordRepository(tables.requests._connection).page(
                before=None, limit=20_000, account_id=account
            )
        return found

    found = platform.read(question)
    while len(found) < count:
        found = platform.read(question)
    return found


def charged(records: list[UsageRecord], counts: Which | None = None) -> int:
    return sum(one.charge.amount for one in records if one.charge is not None and (counts is None or counts(one)))


def told(platform: PlatformProcess, path: str, secret: str) -> Any:
    """What a billing endpoint says, its numbers digit by digit."""
    answer = platform.ask(None, path, method="GET", key=secret)
    assert answer.status == 200, answer.body
    return json.loads(answer.body, parse_float=Decimal)


def rounded(amount: int, unit: int) -> Decimal:
    """Of so many nano-USD, in USD or cents, to six decimals, half-even."""
    return Decimal(round(Fraction(amount * 10**6, unit))) / 10**6


def costs(platform: PlatformProcess, admin: str) -> Iterator[tuple[str, str, int]]:
    """(key, model, nano-USD) of every day."""
    path = "/v1/organization/costs?start_time=1700000000&limit=180&group_by=api_key_id&group_by=line_item"
    page = told(platform, path, admin)
    while True:
        for bucket in page["data"]:
            for one in bucket["results"]:
                value = Fraction(one["amount"]["value"]) * USD
                assert value.denominator == 1, one
                yield one["api_key_id"], one["line_item"], int(value)
        if not page["has_more"]:
            return
        page = told(platform, f"{path}&page={page['next_page']}", admin)


def all_say_the_same(payers: Payers, records: list[UsageRecord]) -> None:
    platform, accounts = payers.platform, (payers.on_credit, payers.prepaid)
    by_key_and_model: Counter[tuple[str, str]] = Counter()
    for one in records:
        by_key_and_model[one.key_id, one.model] += one.charge.amount if one.charge else 0
    for account in accounts:
        mine = [one for one in records if one.account_id == account]
        chain, money, by_day = platform.read(partial(_books_of, account=account))
        of_ledger: Counter[str | None] = Counter()
        for transfer in chain:
            if transfer.kind in ("charge", "overrun"):
                of_ledger[transfer.request_id] -= transfer.amount
        assert of_ledger == Counter({one.id: one.charge.amount for one in mine if one.charge is not None})
        assert money.spent == sum(by_day.values()) == charged(mine)
        shown: Counter[tuple[str, str]] = Counter()
        for key, model, amount in costs(platform, payers.admins[account]):
            shown[key, model] += amount
        keys = {one.key_id for one in mine}
        assert +shown == +Counter({place: by_key_and_model[place] for place in by_key_and_model if place[0] in keys})
    counters = platform.read(lambda tables: tables.budgets.every_counter())
    for budget, counts in payers.budgets.items():
        windows = [one.spent for one in counters if one.budget_id == budget]
        assert sum(windows) == charged(records, counts), budget
    assert platform.manage("GET", "/ledger/verify")["flaws"] == []


def _books_of(tables: SqlRepositories, account: str) -> tuple[list[Transfer], Money, dict[int, int]]:
    chain = [entry.transfer for entry, _ in tables.ledger.chain(account)]
    return chain, tables.ledger.money(account), dict(tables.spend.by_day(account, DAY_MS))


def receipts_say_the_same(platform: PlatformProcess, records: list[UsageRecord], secrets: dict[str, str]) -> None:
    for record in records[:RECEIPTS_MAX]:
        receipt = told(platform, f"/api/v1/requests/{record.id}", secrets[record.key_id])
        amount = record.charge.amount if record.charge else 0
        assert receipt["charge_nusd"] == amount, receipt
        assert receipt["charge_usd"] == format_usd(amount)
        assert sum(line["charge_nusd"] for line in receipt["lines"]) == amount, receipt


def tools_compute_what_is_left(payers: Payers, records: list[UsageRecord]) -> None:
    """Under every kind of binding: `hard_limit_usd - total_usage / 100` is what `/v1/key` says is left."""
    platform, first = payers.platform, payers.callers[0]
    for level, object_id in (("key", first.key), ("project", first.project), ("account", first.account)):
        spent = charged(records, of(**{f"{level}_id": object_id}))
        for number, window in enumerate(("total", "day", "week", "month"), start=1):
            # New where a total budget would begin at nothing, so it binds by its amount alone.
            amount = number * 1_234_567 + (0 if window == "total" else spent)
            given = {"amount_usd": format_usd(amount), "window": window, level: object_id, "model": None}
            bound = platform.manage("POST", "/budgets", {**given, "system": True})["id"]
            left = what_is_left(platform, first.secret)
            assert left == number * 1_234_567, (level, window)
            formula(platform, first.secret, left)
            platform.manage("POST", f"/budgets/{bound}/remove")
    prepaid = payers.callers[3]
    money = platform.read(lambda tables: tables.ledger.money(prepaid.account))
    formula(platform, prepaid.secret, max(0, money.balance), overdrawn=min(0, money.balance))


def what_is_left(platform: PlatformProcess, secret: str) -> int:
    shown = told(platform, "/v1/key", secret)["budgets"]
    return min(int(Fraction(one["remaining_usd"]) * USD) for one in shown if one["model"] is None)


def formula(platform: PlatformProcess, secret: str, left: int, overdrawn: int = 0) -> None:
    hard = Fraction(told(platform, "/v1/dashboard/billing/subscription", secret)["hard_limit_usd"])
    used = Fraction(told(platform, "/v1/dashboard/billing/usage", secret)["total_usage"])
    assert abs(hard - used / 100 - Fraction(left + overdrawn, USD)) <= Fraction(1, 10**6)


def play(platform: PlatformProcess, provider: ScriptedProvider, count: int, name: str) -> None:
    provider.plays("up-house", provides)
    payers = Payers(platform, name, prepaid=count * 20_000)
    calls = mixture(len(name), count, payers.callers, MODELS)
    asyncio.run(ask_all(platform, calls))
    records = records_of(platform, (payers.on_credit, payers.prepaid), count)
    assert len(records) == count
    assert {one.ending for one in records} >= ENDINGS
    assert any(one.charge is not None and one.charge.overrun for one in records)
    assert any(one.error == "insufficient_quota" for one in records)
    all_say_the_same(payers, records)
    receipts_say_the_same(platform, records, {one.key: one.secret for one in payers.callers})
    for caller in payers.callers[:1] + payers.callers[3:]:
        used = told(platform, "/v1/dashboard/billing/usage?start_date=2020-01-01", caller.secret)
        mine = charged(records, of(account_id=caller.account))
        assert Fraction(used["total_usage"]) == Fraction(rounded(mine, CENT))
    tools_compute_what_is_left(payers, records)
    all_say_the_same(payers, records)


def test_everybody_who_counts_says_the_same_after_300_mixed_calls(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    play(platform, provider, 300, "three hundred")


@pytest.mark.long
def test_everybody_who_counts_says_the_same_after_10_000_mixed_calls(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    """By accounts of 2,500 calls each: of more refused calls than 1,000 an account has no records."""
    for name in ("first", "second", "third part", "fourth part"):
        play(platform, provider, 2_500, name)
