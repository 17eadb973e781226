"""What an actor can reach: an object by its id or its name, within the account that bounds him.

What belongs to another account is not there: the answer is the same, word for word, as for what was never made.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from tollhouse.billing.budgets import Level
from tollhouse.core.account import Account, ApiKey, Project
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, PathNotFound, ScopeMissing
from tollhouse.office.office import Office


class Target(NamedTuple):
    level: Level
    object_id: str
    account_id: str


Named = TypeVar("Named", Account, Project, ApiKey)


def require_operator(actor: Actor, deed: str) -> None:
    """`deed` completes "only the operator may ...". Raises ScopeMissing."""
    if actor.account_id is not None:
        raise ScopeMissing(f"only the operator of the platform may {deed}")


def account(office: Office, actor: Actor, reference: str) -> Account:
    """Raises PathNotFound, and BadRequest for a name that several have."""
    found = office.directory.accounts_called(reference)
    return _only([one for one in found if actor.account_id in (None, one.id)], "account", reference)


def project(office: Office, actor: Actor, reference: str, account_id: str | None = None) -> Project:
    """`account_id` narrows the search further. Raises PathNotFound, BadRequest."""
    found = office.directory.projects_called(reference, account_id)
    return _only([one for one in found if actor.account_id in (None, one.account_id)], "project", reference)


def key(office: Office, actor: Actor, reference: str) -> ApiKey:
    """Raises PathNotFound, BadRequest."""
    found = office.directory.keys_called(reference)
    return _only([one for one in found if actor.account_id in (None, one.account_id)], "key", reference)


def account_or_own(office: Office, actor: Actor, reference: str | None) -> Account:
    """The account named; else the actor's own; else the only one there is. Raises PathNotFound, BadRequest."""
    reference = reference or actor.account_id
    if reference is not None:
        return account(office, actor, reference)
    accounts = list(office.directory.accounts.values())
    if len(accounts) != 1:
        raise BadRequest("account: say which account, by its id or name", param="account")
    return accounts[0]


def target(
    office: Office, actor: Actor, account_ref: str | None, project_ref: str | None, key_ref: str | None
) -> Target:
    """What a budget or a limit is to stand on: exactly one is named. Raises BadRequest, PathNotFound."""
    if sum(one is not None for one in (account_ref, project_ref, key_ref)) != 1:
        raise BadRequest("account: name one account, one project or one key", param="account")
    if key_ref is not None:
        found = key(office, actor, key_ref)
        return Target("key", found.id, found.account_id)
    if project_ref is not None:
        owned = project(office, actor, project_ref)
        return Target("project", owned.id, owned.account_id)
    assert account_ref is not None
    owner = account(office, actor, account_ref).id
    return Target("account", owner, owner)


def narrowed(office: Office, actor: Actor, reference: str | None) -> str | None:
    """The id that a list is narrowed to: of the account named, else of the actor's own; None: all there are."""
    return account(office, actor, reference).id if reference is not None else actor.account_id


def _only(found: Sequence[Named], kind: str, reference: str) -> Named:
    if len(found) == 1:
        return found[0]
    if not found:
        raise PathNotFound(f"no {kind} {shown(reference)}")
    ids = ", ".join(one.id for one in found[:5])
    raise BadRequest(f"{kind}: {len(found)} are called {shown(reference)}: give the id of one ({ids})", param=kind)


def shown(reference: str) -> str:
    """A reference as a message may repeat it: somebody may have given a secret for a name."""
    if reference.lstrip().lower().startswith(("sk-", "bearer ")):
        return "of that name (it looks like a secret: give the id or the name)"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in reference[:80])
