"""What people may do next: accounts, keys, money, budgets, prices."""

from tests.money import deeds
from tests.money.choice import ZONES, Choose, amount, pick
from tests.money.days_by_hand import DAY_MS
from tests.money.shop import PRICES, SHOP
from tests.money.world import World


def opens_account(world: World, choose: Choose) -> None:
    credit = pick(choose, ("0", "0.001", "unlimited", "0.0000005"))
    plan = pick(choose, ("default", "bounded"))
    account = deeds.open_account(world, credit, pick(choose, ZONES), plan)
    if account is not None:
        deeds.make_key(world, account, world.projects[-1][1], "live")


def makes_project(world: World, choose: Choose) -> None:
    deeds.make_project(world, pick(choose, world.accounts))


def makes_key(world: World, choose: Choose) -> None:
    account, project = pick(choose, world.projects)
    deeds.make_key(world, account, project, "test" if choose(5) == 4 else "live")


def grants(world: World, choose: Choose) -> None:
    lasts_ms = pick(choose, (None, None, 1, 3_600_000, DAY_MS))
    deeds.grant(world, pick(choose, world.accounts), amount(world, choose), lasts_ms)


def ends_grants(world: World, choose: Choose) -> None:
    deeds.end_grants(world)


def changes_multiple(world: World, choose: Choose) -> None:
    deeds.change_multiple(world, pick(choose, world.accounts), pick(choose, ("1", "1.2", "0.333333", "2.5")))


def adjusts(world: World, choose: Choose) -> None:
    sign = 1 - 2 * choose(2)
    deeds.adjust(world, pick(choose, world.accounts), sign * amount(world, choose))


def refunds(world: World, choose: Choose) -> None:
    """Often of a call that was refunded before."""
    again = list(world.books.refunded) if choose(3) == 2 else []
    request = pick(choose, again or list(reversed(world.books.written)))
    charged = world.books.written[request].charged or 0
    part = pick(choose, (None, charged, charged // 2, charged + 1))
    deeds.refund(world, request, part or None)


def lends(world: World, choose: Choose) -> None:
    deeds.lend(world, pick(choose, world.accounts), pick(choose, ("0", "0.002", "unlimited", "0.0004725")))


def makes_code(world: World, choose: Choose) -> None:
    deeds.make_code(world, amount(world, choose))


def redeems(world: World, choose: Choose) -> None:
    deeds.redeem(world, len(world.codes) - 1 - choose(len(world.codes)), pick(choose, world.accounts))


def sets_budget(world: World, choose: Choose) -> None:
    """On any level; as often in the place of one that is there."""
    alive = [one for one in world.books.budgets.values() if one.alive]
    zone = pick(choose, (None, *ZONES)) if choose(2) else None
    if alive and choose(2):
        one = pick(choose, list(reversed(alive)))
        where = {one.level: one.object_id}
        window, model, system = one.kind, one.model, one.system
        zone = pick(choose, ZONES) if one.kind == "total" else zone or one.zone
    else:
        key = pick(choose, world.keys)
        where = pick(choose, ({"key": key.id}, {"project": key.project}, {"account": key.account}))
        window = pick(choose, ("total", "day", "week", "month"))
        model, system = pick(choose, (None, None, "plain", "plain*", "u*")), choose(6) == 5
    how_much = 0 if choose(8) == 7 else amount(world, choose)
    deeds.set_budget(world, how_much, window=window, zone=zone, model=model, system=system, **where)


def removes_budget(world: World, choose: Choose) -> None:
    deeds.remove_budget(world, pick(choose, [one for one in world.books.budgets.values() if one.alive]))


def changes_goods(world: World, choose: Choose) -> None:
    model = pick(choose, list(SHOP))
    now = world.goods[model]
    kind = choose(8)
    price = {} if kind == 7 else pick(choose, PRICES)
    deeds.change_goods(world, model, now._replace(price=price, free=kind == 6))
