"""What people do to a world: each action is done to the platform, and, if the platform says it is done, to the
model."""

from collections.abc import Coroutine
from fractions import Fraction
from typing import Any, TypeVar

from tests.money.checker import Checker, Key
from tests.money.platform_under_test import OPERATOR
from tests.money.products import Product, catalogue
from tests.money.reference_model import ReferenceBudget
from tests.money.tariff import nano
from tollhouse.billing.budgets import Budget as Put
from tollhouse.core.account import KeyMode
from tollhouse.core.amount import format_usd
from tollhouse.core.failure import BadRequest, Failure, Overloaded
from tollhouse.services import accounts, budgets, codes, credits, expiry, keys, platform, projects  # noqa: A004 - the noun

T = TypeVar("T")


def done(checker: Checker, transaction: Coroutine[Any, Any, T]) -> T | None:
    """None: the database could not be written, and nothing has changed."""
    checker.by_people = True
    try:
        return checker.run(transaction)
    except Overloaded:
        assert checker.mood != "well", "the database is well"
        return None


def open_account(checker: Checker, credit: str, zone: str, plan: str = "default") -> str | None:
    services = checker.platform_under_test.services
    name = checker.name("account")
    made = done(checker, accounts.create(services, OPERATOR, name=name, credit_limit_usd=credit, zone=zone, plan=plan))
    if made is None:
        return None
    checker.accounts.append(made.id)
    checker.books.open_account(made.id, _lent(credit), zone)
    for project in services.directory.projects.values():
        if project.account_id == made.id:
            checker.projects.append((made.id, project.id))
    for ceiling in checker.run(services.rows.read(lambda tables: tables.budgets.on("account", made.id))):
        checker.books.set_budget(_counted(ceiling), checker.now_ms)
    return made.id


def make_project(checker: Checker, account: str) -> None:
    name = checker.name("project")
    made = done(checker, projects.create(checker.platform_under_test.services, OPERATOR, name=name, account=account))
    if made is not None:
        checker.projects.append((account, made.id))


def make_key(checker: Checker, account: str, project: str, mode: KeyMode) -> None:
    name = checker.name("key")
    made = done(
        checker,
        keys.create(
            checker.platform_under_test.services, OPERATOR, name=name, account=account, project=project, mode=mode
        ),
    )
    if made is not None:
        checker.keys.append(Key(made.key.id, account, project, made.secret, mode))


def grant(checker: Checker, account: str, amount: int, lasts_ms: int | None = None) -> None:
    ends_ms = None if lasts_ms is None else checker.now_ms + lasts_ms
    transaction = credits.grant(
        checker.platform_under_test.services, OPERATOR, account, format_usd(amount), expires_at_ms=ends_ms
    )
    if done(checker, transaction) is not None:
        checker.books.put_in(account, "grant", amount, ends_ms=ends_ms)


def end_grants(checker: Checker) -> None:
    """As the platform does once a minute."""
    ended = done(checker, expiry.post_due(checker.platform_under_test.services, OPERATOR))
    if ended is not None:
        checker.books.end_grants(checker.now_ms)
        checker.seen["grant ended"] += len(ended)


def change_multiple(checker: Checker, account: str, multiple: str) -> None:
    if (
        done(checker, accounts.change(checker.platform_under_test.services, OPERATOR, account, multiplier=multiple))
        is not None
    ):
        checker.books.accounts[account].multiple = Fraction(multiple)


def adjust(checker: Checker, account: str, amount: int) -> None:
    transaction = credits.adjust(
        checker.platform_under_test.services,
        OPERATOR,
        account=account,
        amount_usd=format_usd(amount),
        reason="set right",
    )
    if done(checker, transaction) is not None:
        checker.books.put_in(account, "adjustment", amount)


def refund(checker: Checker, request: str, amount: int | None) -> None:
    """Of a call that was written down. It is refunded once, by at most what it was charged."""
    books = checker.books
    call, before = books.written[request], books.refunded.get(request)
    charged = call.charged or 0
    given = charged if amount is None else amount
    expected = None
    if call.charged is None:
        expected = "not_found"
    elif before is not None:
        expected = None if amount in (None, before) else "conflict"
    elif not 0 < given <= charged:
        expected = "invalid_request_error"
    usd = None if amount is None else format_usd(amount)
    entry, told = None, None
    try:
        entry = done(checker, credits.refund(checker.platform_under_test.services, OPERATOR, request, amount_usd=usd))
    except Failure as refused:
        told = refused.code
    assert told == expected or checker.mood != "well", f"a refund of {usd} USD: {told}, for the model {expected}"
    if entry is not None and before is None:
        books.refunded[request] = given
        books.put_in(call.account, "refund", given, request)
        checker.seen["refunded"] += 1


def lend(checker: Checker, account: str, usd: str) -> None:
    if (
        done(checker, accounts.set_credit_limit(checker.platform_under_test.services, OPERATOR, account, usd))
        is not None
    ):
        checker.books.lend(account, _lent(usd))


def make_code(checker: Checker, amount: int) -> None:
    made = done(checker, codes.create(checker.platform_under_test.services, OPERATOR, format_usd(amount)))
    if made is not None:
        checker.codes.append((made[0].secret, amount, False))


def redeem(checker: Checker, place: int, account: str) -> None:
    text, amount, redeemed = checker.codes[place]
    try:
        entry = done(checker, codes.redeem(checker.platform_under_test.services, OPERATOR, text, account))
    except BadRequest:
        assert redeemed, "a code that is good was refused"
        return
    if entry is not None:
        assert not redeemed, "a code was good twice"
        checker.codes[place] = (text, amount, True)
        checker.books.put_in(account, "top_up", amount)
        checker.seen["redeemed"] += 1


def set_budget(checker: Checker, amount: int, **words: Any) -> None:
    made = done(
        checker, budgets.put(checker.platform_under_test.services, OPERATOR, amount_usd=format_usd(amount), **words)
    )
    if made is not None:
        placed = checker.books.set_budget(_counted(made), checker.now_ms)
        assert (placed.id, placed.since_ms) == (made.id, made.created_at_ms), "another budget was to be replaced"
        checker.seen[f"budget {made.kind}"] += 1


def remove_budget(checker: Checker, budget: ReferenceBudget) -> None:
    if done(checker, budgets.remove(checker.platform_under_test.services, OPERATOR, budget.id)) is not None:
        budget.alive = False


def change_product(checker: Checker, model: str, product: Product) -> None:
    """A new platform.toml: another price, none, or free."""
    wanted = {**checker.products, model: product}
    if done(checker, platform.apply(checker.platform_under_test.services, OPERATOR, catalogue(wanted))) is not None:
        checker.products = wanted
        checker.books.put_prices({name: one.price for name, one in wanted.items()}, checker.now_ms)
        checker.platform_under_test.wanted = catalogue(wanted)


def _counted(made: Put) -> ReferenceBudget:
    return ReferenceBudget(
        id=made.id,
        account=made.account_id,
        level=made.level,
        object_id=made.object_id,
        amount=made.amount,
        kind=made.kind,
        zone=made.zone,
        model=made.model,
        system=made.system,
        since_ms=made.created_at_ms,
    )


def _lent(usd: str) -> int | None:
    return None if usd == "unlimited" else int(nano(usd))
