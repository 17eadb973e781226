"""What an actor can reach: an object by its id or its name, within the account that bounds him.

What belongs to another account is not there: the answer is the same, word for word, as for what was never made.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeVar

from tollhouse.access.models import groups_of, in_groups
from tollhouse.billing.budgets import Level
from tollhouse.core.account import Account, ApiKey, Project
from tollhouse.core.audit import Actor
from tollhouse.core.escaping import printable
from tollhouse.core.failure import BadRequest, PathNotFound, ScopeMissing
from tollhouse.core.phrase import Phrase
from tollhouse.core.spelling import alike, nearest_few
from tollhouse.services import fields
from tollhouse.services.context import ServiceContext

_COMPARED_MAX: Final = 2_000  # names of accounts: a millisecond
_MEANT: Final = 0.6  # as alike are `acme` and `amce`: what is less so was meant to be another name


class Target(NamedTuple):
    level: Level
    object_id: str
    account_id: str


Named = TypeVar("Named", Account, Project, ApiKey)


def require_operator(actor: Actor, action: str) -> None:
    """`action` completes "only the operator may ...". Raises ScopeMissing."""
    if actor.account_id is not None:
        raise ScopeMissing(Phrase("only the operator of the platform may %(action)s", action=Phrase(action)))


def account(services: ServiceContext, actor: Actor, reference: str) -> Account:
    """Raises PathNotFound, and BadRequest for a name that several have."""
    if actor.account_id is not None:  # nobody else's is looked at
        own = services.directory.accounts.get(actor.account_id)
        return _only([own] if own is not None and reference in (own.id, own.name) else [], "account", reference)
    found = services.directory.accounts_called(reference)
    if not found:
        raise PathNotFound(_unknown_account(services, reference))
    return _only(found, "account", reference)


def project(services: ServiceContext, actor: Actor, reference: str, account_id: str | None = None) -> Project:
    """`account_id` narrows the search further. Raises PathNotFound, BadRequest."""
    if (own := _own_key(services, actor)) is not None:
        only = services.directory.projects[own.project_id]
        return _only([only] if reference in (only.id, only.name) else [], "project", reference)
    within = actor.account_id or account_id
    found = services.directory.projects_called(reference, within) if account_id in (None, within) else []
    return _only(found, "project", reference)


def key(services: ServiceContext, actor: Actor, reference: str, account_id: str | None = None) -> ApiKey:
    """`account_id` narrows the search further. Raises PathNotFound, BadRequest."""
    if (own := _own_key(services, actor)) is not None:
        return _only([own] if reference in (own.id, own.name) else [], "key", reference)
    within = actor.account_id or account_id
    found = services.directory.keys_called(reference, within) if account_id in (None, within) else []
    return _only(found, "key", reference)


def _own_key(services: ServiceContext, actor: Actor) -> ApiKey | None:
    """The key of an actor who is one: an API key reaches itself and its project, by id and by name."""
    return services.directory.keys.get(actor.id) if actor.kind == "api_key" else None


def account_or_own(services: ServiceContext, actor: Actor, reference: str | None) -> Account:
    """The account named; else the actor's own; else the only one there is. Raises PathNotFound, BadRequest."""
    reference = reference or actor.account_id
    if reference is not None:
        return account(services, actor, reference)
    accounts = list(services.directory.accounts.values())
    if len(accounts) != 1:
        raise BadRequest("account: say which account, by its id or name", param="account")
    return accounts[0]


def target(
    services: ServiceContext, actor: Actor, account_ref: str | None, project_ref: str | None, key_ref: str | None
) -> Target:
    """What a budget or a limit is to stand on: exactly one is named. Raises BadRequest, PathNotFound."""
    if sum(one is not None for one in (account_ref, project_ref, key_ref)) != 1:
        raise BadRequest("account: name one account, one project or one key", param="account")
    if key_ref is not None:
        found = key(services, actor, key_ref)
        return Target("key", found.id, found.account_id)
    if project_ref is not None:
        owned = project(services, actor, project_ref)
        return Target("project", owned.id, owned.account_id)
    assert account_ref is not None
    owner = account(services, actor, account_ref).id
    return Target("account", owner, owner)


def model(services: ServiceContext, actor: Actor, text: str) -> str:
    """The model of this id or alias, by its id: calls are counted by it, whatever name they ask for. Or a pattern as it
    is (`gpt-4*`), which is for whatever comes.

    What stands on a misspelt model would protect nothing, so an unknown one is refused, with those that an actor can
    know of. Raises BadRequest.
    """
    named = fields.pattern(text)
    if named.endswith("*"):
        return named
    catalogue = services.catalogue
    found = catalogue.models.get(named) or catalogue.models.get(catalogue.ids_by_alias.get(named, ""))
    groups = None if actor.account_id is None else groups_of(catalogue, services.directory.accounts[actor.account_id])
    known = {one.id for one in catalogue.models.values() if groups is None or in_groups(groups, one)}
    if found is not None and found.id in known:
        return found.id
    near = ", ".join(map(repr, nearest_few(named[:60], known)))
    hint = (
        Phrase("the nearest known ones are %(known)s", known=near)
        if near
        else Phrase("none is known yet: name it in platform.toml, and apply that")
    )
    raise BadRequest(
        Phrase(
            "model: %(given)s is unknown; %(hint)s. A pattern such as gpt-4* may come first.",
            given=repr(shown(named)),
            hint=hint,
        ),
        param="model",
    )


def narrowed(services: ServiceContext, actor: Actor, reference: str | None) -> str | None:
    """The id that a list is narrowed to: of the account named, else of the actor's own; None: all there are."""
    return account(services, actor, reference).id if reference is not None else actor.account_id


def _unknown_account(services: ServiceContext, reference: str) -> Phrase:
    """For the operator, who may see all of them: which of the first thousands are called nearly so."""
    names = [one.name for one in islice(services.directory.accounts.values(), _COMPARED_MAX)]
    likely = [name for name in nearest_few(reference[:60], names) if _is_meant(reference[:60].casefold(), name)]
    if not likely:
        return Phrase("no %(kind)s %(given)s", kind=Phrase("account"), given=shown(reference))
    meant = ", ".join(printable(name, 80) for name in likely)
    return Phrase("no account %(given)s; did you mean %(meant)s?", given=shown(reference), meant=meant)


def _is_meant(reference: str, name: str) -> bool:
    return alike(reference, name) >= _MEANT or (len(reference) > 2 and name.casefold().startswith(reference))


def _only(found: Sequence[Named], kind: str, reference: str) -> Named:
    if len(found) == 1:
        return found[0]
    if not found:
        raise PathNotFound(Phrase("no %(kind)s %(given)s", kind=Phrase(kind), given=shown(reference)))
    ids = ", ".join(one.id for one in found[:5])
    raise BadRequest(
        Phrase(
            "%(param)s: %(count)s are called %(given)s: give the id of one (%(ids)s)",
            param=kind,
            count=len(found),
            given=shown(reference),
            ids=ids,
        ),
        param=kind,
    )


def shown(reference: str) -> str:
    """A reference as a message may repeat it: somebody may have given a secret for a name."""
    if reference.lstrip().lower().startswith(("sk-", "bearer ")):
        return Phrase("of that name (it looks like a secret: give the id or the name)")
    return printable(reference, 80)
