"""The demo's account, keys and people: made once, and found again at each start."""

from tollhouse.access import secrets
from tollhouse.core.account import Account, KeyMode
from tollhouse.core.audit import Actor
from tollhouse.core.failure import Conflict
from tollhouse.core.randomness import Randomness
from tollhouse.services import accounts, keys, people
from tollhouse.services.context import ServiceContext
from tollhouse.services.credits import grant

OPERATOR = Actor(kind="operator", id="demo")
ACCOUNT = "demo"
GRANT_USD = "100"
_KEYS: tuple[tuple[str, str, KeyMode], ...] = (
    ("TOLLHOUSE_API_KEY", "demo", "live"),
    ("TOLLHOUSE_TEST_KEY", "demo-test", "test"),
    ("TOLLHOUSE_ADMIN_KEY", "demo-admin", "admin"),
)
_PEOPLE = (("TOLLHOUSE", "demo", "owner", ACCOUNT), ("TOLLHOUSE_OPERATOR", "operator", "operator", None))
_PASSWORD_BYTES = 18
_WORD = "abcdefghijkmnpqrstuvwxyz23456789"  # without what reads alike


async def plant(services: ServiceContext, known: dict[str, str]) -> dict[str, str]:
    """Make what is missing; the answer holds everything that demo.env says but the base URL.

    `known` is what demo.env holds. A secret that the database does not know (another folder's, or the database was
    removed) is replaced; one that somebody revoked since is his choice, and stays.
    """
    account = await _account(services)
    values = dict(known)
    for variable, name, mode in _KEYS:
        if variable not in known or services.directory.find(secrets.digest(known[variable])) is None:
            made = await keys.create(services, OPERATOR, name=name, account=account.id, mode=mode)
            values[variable] = made.secret
    for prefix, name, role, owner in _PEOPLE:
        email, password = known.get(f"{prefix}_EMAIL"), known.get(f"{prefix}_PASSWORD")
        if email and password and await people.recognise(services, email, password) is not None:
            continue
        member_of = account.id if owner else None
        values[f"{prefix}_EMAIL"], values[f"{prefix}_PASSWORD"] = await _person(services, name, role, member_of)
    return values


async def _account(services: ServiceContext) -> Account:
    found = services.directory.accounts_called(ACCOUNT)
    if found:
        return found[0]
    account = await accounts.create(services, OPERATOR, name=ACCOUNT, email=f"demo@{_DOMAIN}")
    await grant(services, OPERATOR, account.id, GRANT_USD, reason="to try the platform with")
    return account


async def _person(services: ServiceContext, name: str, role: str, account: str | None) -> tuple[str, str]:
    """Mail and password of somebody new. An address that is taken, by a demo whose file is gone, is left alone."""
    password = _word(services.random, _PASSWORD_BYTES)
    email = f"{name}@{_DOMAIN}"
    try:
        await people.create(services, OPERATOR, email=email, password=password, role=role, account=account)
    except Conflict:
        email = f"{name}-{_word(services.random, 5)}@{_DOMAIN}"
        await people.create(services, OPERATOR, email=email, password=password, role=role, account=account)
    return email, password


_DOMAIN = "tollhouse.example"  # a domain for examples: no mail leaves (RFC 2606)


def _word(random: Randomness, length: int) -> str:
    return "".join(_WORD[byte % len(_WORD)] for byte in random.bytes(length))
