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

from tests.journey.platform_process import Platform
from tests.journey.scripted_provider import Provider
from tests.money.mixed_calls import Caller, ask_all, mixture, provides
from tollhouse.billing.ledger import Transfer
from tollhouse.core.amount import format_usd
from tollhouse.core.money import Money
from tollhouse.core.request import Request
from tollhouse.store.requests import Requests
from tollhouse.store.tables import Tables

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
Which = Callable[[Request], bool]


def of(**members: str) -> Which:
    """The calls whose members are these."""
    return lambda one: all(getattr(one, name) == value for name, value in members.items())


class Payers:
    """Two accounts: one on credit with two projects and three keys, one that pays beforehand and runs out of money.
    Budgets of every window on every level of the first, large enough to let everything in."""

    def __init__(self, house: Platform, name: str, prepaid: int) -> None:
        self.house = house
        self.on_credit = self._account(f"{name} on credit", "unlimited")
        self.prepaid = self._account(f"{name} prepaid", "0")
        house.manage("POST", "/credits", {"account": self.prepaid, "amount_usd": format_usd(prepaid)})
        other = house.manage("POST", "/projects", {"name": "other", "account": self.on_credit})["id"]
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
        made = self.house.manage("POST", "/accounts", {"name": name, "credit_limit_usd": credit})
        return str(made["id"])

    def _key(self, account: str, project: str | None) -> Caller:
        given = {"name": "caller", "account": account, "project": project}
        made = self.house.manage("POST", "/keys", given)
        return Caller(account, made["project_id"], made["id"], made["secret"])

    def _admin(self, account: str) -> str:
        made = self.house.manage("POST", "/keys", {"name": "admin", "account": account, "mode": "admin"})
        return str(made["secret"])

    def _budget(self, counts: Which, window: str, zone: str | None, **where: str) -> None:
        """A budget of this place takes the place of the one before."""
        given = {"amount_usd": "1000", "window": window, "zone": zone, **where}
        self.budgets[self.house.manage("POST", "/budgets", given)["id"]] = counts


def records_of(house: Platform, accounts: tuple[str, ...], count: int) -> list[Request]:
    """Of all calls, as soon as they are all written down: who leaves does not wait for his record."""

    def question(tables: Tables) -> list[Request]:
        found: list[Request] = []
        for account in accounts:
            found += Requests(tables.requests._connection).page(before=None, limit=20_000, account_id=account)
        return found

    found = house.read(question)
    while len(found) < count:
        found = house.read(question)
    return found


def charged(records: list[Request], counts: Which | None = None) -> int:
    return sum(one.charge.amount for one in records if one.charge is not None and (counts is None or counts(one)))


def told(house: Platform, path: str, secret: str) -> Any:
    """What a billing endpoint says, its numbers digit by digit."""
    answer = house.ask(None, path, method="GET", key=secret)
    assert answer.status == 200, answer.body
    return json.loads(answer.body, parse_float=Decimal)


def rounded(amount: int, unit: int) -> Decimal:
    """Of so many nano-USD, in USD or cents, to six decimals, half-even."""
    return Decimal(round(Fraction(amount * 10**6, unit))) / 10**6


def costs(house: Platform, admin: str) -> Iterator[tuple[str, str, int]]:
    """(key, model, nano-USD) of every day."""
    path = "/v1/organization/costs?start_time=1700000000&limit=180&group_by=api_key_id&group_by=line_item"
    page = told(house, path, admin)
    while True:
        for bucket in page["data"]:
            for one in bucket["results"]:
                value = Fraction(one["amount"]["value"]) * USD
                assert value.denominator == 1, one
                yield one["api_key_id"], one["line_item"], int(value)
        if not page["has_more"]:
            return
        page = told(house, f"{path}&page={page['next_page']}", admin)


def all_say_the_same(payers: Payers, records: list[Request]) -> None:
    house, accounts = payers.house, (payers.on_credit, payers.prepaid)
    by_key_and_model: Counter[tuple[str, str]] = Counter()
    for one in records:
        by_key_and_model[one.key_id, one.model] += one.charge.amount if one.charge else 0
    for account in accounts:
        mine = [one for one in records if one.account_id == account]
        chain, money, by_day = house.read(partial(_books_of, account=account))
        of_ledger: Counter[str | None] = Counter()
        for transfer in chain:
            if transfer.kind in ("charge", "overrun"):
                of_ledger[transfer.request_id] -= transfer.amount
        assert of_ledger == Counter({one.id: one.charge.amount for one in mine if one.charge is not None})
        assert money.spent == sum(by_day.values()) == charged(mine)
        shown: Counter[tuple[str, str]] = Counter()
        for key, model, amount in costs(house, payers.admins[account]):
            shown[key, model] += amount
        keys = {one.key_id for one in mine}
        assert +shown == +Counter({place: by_key_and_model[place] for place in by_key_and_model if place[0] in keys})
    counters = house.read(lambda tables: tables.budgets.every_counter())
    for budget, counts in payers.budgets.items():
        windows = [one.spent for one in counters if one.budget_id == budget]
        assert sum(windows) == charged(records, counts), budget
    assert house.manage("GET", "/ledger/verify")["flaws"] == []


def _books_of(tables: Tables, account: str) -> tuple[list[Transfer], Money, dict[int, int]]:
    chain = [entry.transfer for entry, _ in tables.ledger.chain(account)]
    return chain, tables.ledger.money(account), dict(tables.spend.by_day(account, DAY_MS))


def receipts_say_the_same(house: Platform, records: list[Request], secrets: dict[str, str]) -> None:
    for record in records[:RECEIPTS_MAX]:
        receipt = told(house, f"/api/v1/requests/{record.id}", secrets[record.key_id])
        amount = record.charge.amount if record.charge else 0
        assert receipt["charge_nusd"] == amount, receipt
        assert receipt["charge_usd"] == format_usd(amount)
        assert sum(line["charge_nusd"] for line in receipt["lines"]) == amount, receipt


def tools_compute_what_is_left(payers: Payers, records: list[Request]) -> None:
    """Under every kind of binding: `hard_limit_usd - total_usage / 100` is what `/v1/key` says is left."""
    house, first = payers.house, payers.callers[0]
    for level, object_id in (("key", first.key), ("project", first.project), ("account", first.account)):
        spent = charged(records, of(**{f"{level}_id": object_id}))
        for number, window in enumerate(("total", "day", "week", "month"), start=1):
            # New where a total budget would begin at nothing, so it binds by its amount alone.
            amount = number * 1_234_567 + (0 if window == "total" else spent)
            given = {"amount_usd": format_usd(amount), "window": window, level: object_id, "model": None}
            bound = house.manage("POST", "/budgets", {**given, "system": True})["id"]
            left = what_is_left(house, first.secret)
            assert left == number * 1_234_567, (level, window)
            formula(house, first.secret, left)
            house.manage("POST", f"/budgets/{bound}/remove")
    prepaid = payers.callers[3]
    money = house.read(lambda tables: tables.ledger.money(prepaid.account))
    formula(house, prepaid.secret, max(0, money.balance), overdrawn=min(0, money.balance))


def what_is_left(house: Platform, secret: str) -> int:
    shown = told(house, "/v1/key", secret)["budgets"]
    return min(int(Fraction(one["remaining_usd"]) * USD) for one in shown if one["model"] is None)


def formula(house: Platform, secret: str, left: int, overdrawn: int = 0) -> None:
    hard = Fraction(told(house, "/v1/dashboard/billing/subscription", secret)["hard_limit_usd"])
    used = Fraction(told(house, "/v1/dashboard/billing/usage", secret)["total_usage"])
    assert abs(hard - used / 100 - Fraction(left + overdrawn, USD)) <= Fraction(1, 10**6)


def play(house: Platform, provider: Provider, count: int, name: str) -> None:
    provider.plays("up-house", provides)
    payers = Payers(house, name, prepaid=count * 20_000)
    calls = mixture(len(name), count, payers.callers, MODELS)
    asyncio.run(ask_all(house, calls))
    records = records_of(house, (payers.on_credit, payers.prepaid), count)
    assert len(records) == count
    assert {one.ending for one in records} >= ENDINGS
    assert any(one.charge is not None and one.charge.overrun for one in records)
    assert any(one.error == "insufficient_quota" for one in records)
    all_say_the_same(payers, records)
    receipts_say_the_same(house, records, {one.key: one.secret for one in payers.callers})
    for caller in payers.callers[:1] + payers.callers[3:]:
        used = told(house, "/v1/dashboard/billing/usage?start_date=2020-01-01", caller.secret)
        mine = charged(records, of(account_id=caller.account))
        assert Fraction(used["total_usage"]) == Fraction(rounded(mine, CENT))
    tools_compute_what_is_left(payers, records)
    all_say_the_same(payers, records)


def test_everybody_who_counts_says_the_same_after_300_mixed_calls(house: Platform, provider: Provider) -> None:
    play(house, provider, 300, "three hundred")


@pytest.mark.long
def test_everybody_who_counts_says_the_same_after_10_000_mixed_calls(house: Platform, provider: Provider) -> None:
    """By accounts of 2,500 calls each: of more refused calls than 1,000 an account has no records."""
    for name in ("first", "second", "third part", "fourth part"):
        play(house, provider, 2_500, name)
