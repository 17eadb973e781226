"""What people may do next: accounts, keys, money, budgets, prices."""

from tests.money import operations
from tests.money.checker import Checker
from tests.money.choice import ZONES, Choose, amount, pick
from tests.money.products import PRICES, SHOP
from tests.money.reference_calendar import DAY_MS


def opens_account(checker: Checker, choose: Choose) -> None:
    credit = pick(choose, ("0", "0.001", "unlimited", "0.0000005"))
    plan = pick(choose, ("default", "bounded"))
    account = operations.open_account(checker, credit, pick(choose, ZONES), plan)
    if account is not None:
        operations.make_key(checker, account, checker.projects[-1][1], "live")


def makes_project(checker: Checker, choose: Choose) -> None:
    operations.make_project(checker, pick(choose, checker.accounts))


def makes_key(checker: Checker, choose: Choose) -> None:
    account, project = pick(choose, checker.projects)
    operations.make_key(checker, account, project, "test" if choose(5) == 4 else "live")


def grants(checker: Checker, choose: Choose) -> None:
    lasts_ms = pick(choose, (None, None, 1, 3_600_000, DAY_MS))
    operations.grant(checker, pick(choose, checker.accounts), amount(checker, choose), lasts_ms)


def ends_grants(checker: Checker, choose: Choose) -> None:
    operations.end_grants(checker)


def changes_multiple(checker: Checker, choose: Choose) -> None:
    operations.change_multiple(checker, pick(choose, checker.accounts), pick(choose, ("1", "1.2", "0.333333", "2.5")))


def adjusts(checker: Checker, choose: Choose) -> None:
    sign = 1 - 2 * choose(2)
    operations.adjust(checker, pick(choose, checker.accounts), sign * amount(checker, choose))


def refunds(checker: Checker, choose: Choose) -> None:
    """Often of a call that was refunded before."""
    again = list(checker.books.refunded) if choose(3) == 2 else []
    request = pick(choose, again or list(reversed(checker.books.written)))
    charged = checker.books.written[request].charged or 0
    part = pick(choose, (None, charged, charged // 2, charged + 1))
    operations.refund(checker, request, part or None)


def lends(checker: Checker, choose: Choose) -> None:
    operations.lend(checker, pick(choose, checker.accounts), pick(choose, ("0", "0.002", "unlimited", "0.0004725")))


def makes_code(checker: Checker, choose: Choose) -> None:
    operations.make_code(checker, amount(checker, choose))


def redeems(checker: Checker, choose: Choose) -> None:
    operations.redeem(checker, len(checker.codes) - 1 - choose(len(checker.codes)), pick(choose, checker.accounts))


def sets_budget(checker: Checker, choose: Choose) -> None:
    """On any level; as often in the place of one that is there."""
    alive = [one for one in checker.books.budgets.values() if one.alive]
    zone = pick(choose, (None, *ZONES)) if choose(2) else None
    if alive and choose(2):
        one = pick(choose, list(reversed(alive)))
        where = {one.level: one.object_id}
        window, model, system = one.kind, one.model, one.system
        zone = pick(choose, ZONES) if one.kind == "total" else zone or one.zone
    else:
        key = pick(choose, checker.keys)
        where = pick(choose, ({"key": key.id}, {"project": key.project}, {"account": key.account}))
        window = pick(choose, ("total", "day", "week", "month"))
        model, system = pick(choose, (None, None, "plain", "plain*", "u*")), choose(6) == 5
    how_much = 0 if choose(8) == 7 else amount(checker, choose)
    operations.set_budget(checker, how_much, window=window, zone=zone, model=model, system=system, **where)


def removes_budget(checker: Checker, choose: Choose) -> None:
    operations.remove_budget(checker, pick(choose, [one for one in checker.books.budgets.values() if one.alive]))


def changes_product(checker: Checker, choose: Choose) -> None:
    model = pick(choose, list(SHOP))
    now = checker.products[model]
    kind = choose(8)
    price = {} if kind == 7 else pick(choose, PRICES)
    operations.change_product(checker, model, now._replace(price=price, free=kind == 6))
