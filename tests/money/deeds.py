"""What people do to a world: each deed is done to the house, and, if the house says it is done, to the model."""

from collections.abc import Coroutine
from fractions import Fraction
from typing import Any, TypeVar

from tests.money.books import Budget
from tests.money.premises import OPERATOR
from tests.money.shop import Goods, catalogue
from tests.money.tariff import nano
from tests.money.world import Key, World
from tollhouse.billing.budgets import Budget as Put
from tollhouse.core.account import KeyMode
from tollhouse.core.amount import format_usd
from tollhouse.core.failure import BadRequest, Failure, Overloaded
from tollhouse.office import accounts, budgets, codes, credits, expiry, keys, platform, projects  # noqa: A004 - the noun

T = TypeVar("T")


def done(world: World, deed: Coroutine[Any, Any, T]) -> T | None:
    """None: the database could not be written, and nothing has changed."""
    world.by_people = True
    try:
        return world.run(deed)
    except Overloaded:
        assert world.mood != "well", "the database is well"
        return None


def open_account(world: World, credit: str, zone: str, plan: str = "default") -> str | None:
    office = world.premises.office
    name = world.name("account")
    made = done(world, accounts.create(office, OPERATOR, name=name, credit_limit_usd=credit, zone=zone, plan=plan))
    if made is None:
        return None
    world.accounts.append(made.id)
    world.books.open_account(made.id, _lent(credit), zone)
    for project in office.directory.projects.values():
        if project.account_id == made.id:
            world.projects.append((made.id, project.id))
    for ceiling in world.run(office.rows.read(lambda tables: tables.budgets.on("account", made.id))):
        world.books.set_budget(_counted(ceiling), world.now_ms)
    return made.id


def make_project(world: World, account: str) -> None:
    name = world.name("project")
    made = done(world, projects.create(world.premises.office, OPERATOR, name=name, account=account))
    if made is not None:
        world.projects.append((account, made.id))


def make_key(world: World, account: str, project: str, mode: KeyMode) -> None:
    name = world.name("key")
    made = done(
        world,
        keys.create(world.premises.office, OPERATOR, name=name, account=account, project=project, mode=mode),
    )
    if made is not None:
        world.keys.append(Key(made.key.id, account, project, made.secret, mode))


def grant(world: World, account: str, amount: int, lasts_ms: int | None = None) -> None:
    ends_ms = None if lasts_ms is None else world.now_ms + lasts_ms
    deed = credits.grant(world.premises.office, OPERATOR, account, format_usd(amount), expires_at_ms=ends_ms)
    if done(world, deed) is not None:
        world.books.put_in(account, "grant", amount, ends_ms=ends_ms)


def end_grants(world: World) -> None:
    """As the platform does once a minute."""
    ended = done(world, expiry.post_due(world.premises.office, OPERATOR))
    if ended is not None:
        world.books.end_grants(world.now_ms)
        world.seen["grant ended"] += len(ended)


def change_multiple(world: World, account: str, multiple: str) -> None:
    if done(world, accounts.change(world.premises.office, OPERATOR, account, multiplier=multiple)) is not None:
        world.books.accounts[account].multiple = Fraction(multiple)


def adjust(world: World, account: str, amount: int) -> None:
    deed = credits.adjust(world.premises.office, OPERATOR, account, format_usd(amount), reason="set right")
    if done(world, deed) is not None:
        world.books.put_in(account, "adjustment", amount)


def refund(world: World, request: str, amount: int | None) -> None:
    """Of a call that was written down. It is refunded once, by at most what it was charged."""
    books = world.books
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
        entry = done(world, credits.refund(world.premises.office, OPERATOR, request, usd=usd))
    except Failure as refused:
        told = refused.code
    assert told == expected or world.mood != "well", f"a refund of {usd} USD: {told}, for the model {expected}"
    if entry is not None and before is None:
        books.refunded[request] = given
        books.put_in(call.account, "refund", given, request)
        world.seen["refunded"] += 1


def lend(world: World, account: str, usd: str) -> None:
    if done(world, accounts.set_credit_limit(world.premises.office, OPERATOR, account, usd)) is not None:
        world.books.lend(account, _lent(usd))


def make_code(world: World, amount: int) -> None:
    made = done(world, codes.create(world.premises.office, OPERATOR, format_usd(amount)))
    if made is not None:
        world.codes.append((made[0].secret, amount, False))


def redeem(world: World, place: int, account: str) -> None:
    text, amount, redeemed = world.codes[place]
    try:
        entry = done(world, codes.redeem(world.premises.office, OPERATOR, text, account))
    except BadRequest:
        assert redeemed, "a code that is good was refused"
        return
    if entry is not None:
        assert not redeemed, "a code was good twice"
        world.codes[place] = (text, amount, True)
        world.books.put_in(account, "top_up", amount)
        world.seen["redeemed"] += 1


def set_budget(world: World, amount: int, **words: Any) -> None:
    made = done(world, budgets.put(world.premises.office, OPERATOR, amount_usd=format_usd(amount), **words))
    if made is not None:
        placed = world.books.set_budget(_counted(made), world.now_ms)
        assert (placed.id, placed.since_ms) == (made.id, made.created_at_ms), "another budget was to be replaced"
        world.seen[f"budget {made.kind}"] += 1


def remove_budget(world: World, budget: Budget) -> None:
    if done(world, budgets.remove(world.premises.office, OPERATOR, budget.id)) is not None:
        budget.alive = False


def change_goods(world: World, model: str, goods: Goods) -> None:
    """A new platform.toml: another price, none, or free."""
    wanted = {**world.goods, model: goods}
    if done(world, platform.apply(world.premises.office, OPERATOR, catalogue(wanted))) is not None:
        world.goods = wanted
        world.books.put_prices({name: one.price for name, one in wanted.items()}, world.now_ms)
        world.premises.wanted = catalogue(wanted)


def _counted(made: Put) -> Budget:
    return Budget(
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
