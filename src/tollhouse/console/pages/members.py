"""/console/members: who belongs to the account, what each role may, who is invited. `people` shows the platform's."""

from collections.abc import Iterator, Mapping
from typing import Final

from tollhouse.access.roles import MEMBERS, PLATFORM
from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import OF_PLATFORM, Visit
from tollhouse.console.words import verb_of
from tollhouse.core.failure import BadRequest, Conflict, Failure, RateLimited
from tollhouse.core.phrase import translatable
from tollhouse.services import factors, invitations, people
from tollhouse.services.invitations import Invited

HERE: Final = "/console/members"
OF_THE_PLATFORM: Final = f"{OF_PLATFORM}people"
_TROUBLES: Final = (BadRequest, Conflict, RateLimited)
_NO_MATTER: Final = ("sessions.list", "sessions.end")  # everybody's own affair
_NOUNS: Final[Mapping[str, str]] = {
    "account": translatable("the account"),
    "accounts": translatable("accounts"),
    "alerts": translatable("alerts"),
    "audit": translatable("audit"),
    "budgets": translatable("budgets"),
    "codes": translatable("redeem codes"),
    "keys": translatable("API keys"),
    "ledger": translatable("statements"),
    "limits": translatable("limits"),
    "models": translatable("models"),
    "people": translatable("members"),
    "projects": translatable("projects"),
    "requests": translatable("requests"),
    "usage": translatable("usage"),
}


async def members(visit: Visit) -> Answer:
    return await _page(visit)


async def invite(visit: Visit) -> Answer:
    try:
        invited = await invitations.invite(
            visit.context.services,
            visit.actor,
            email=visit.given("email"),
            language=visit.language,
            role=visit.given("role"),
            account=_account(visit),
            platform=_account(visit) is None,
        )
    except _TROUBLES as trouble:
        return await _page(visit, trouble)
    return await _page(visit, invited=invited)


async def withdraw(visit: Visit) -> Answer:
    await invitations.withdraw(visit.context.services, visit.actor, visit.id)
    return Elsewhere(f"{_here(visit)}?done=withdrawn")


async def member(visit: Visit) -> Answer:
    return await _member(visit)


async def change_role(visit: Visit) -> Answer:
    try:
        await people.change_role(visit.context.services, visit.actor, visit.id, role=visit.given("role"))
    except _TROUBLES as trouble:
        return await _member(visit, trouble)
    return Elsewhere(f"{_here(visit)}?done=role")


async def disable(visit: Visit) -> Answer:
    try:
        await people.disable(visit.context.services, visit.actor, visit.id)
    except _TROUBLES as trouble:
        return await _member(visit, trouble)
    return Elsewhere(f"{_here(visit)}/{visit.id}")


async def enable(visit: Visit) -> Answer:
    await people.enable(visit.context.services, visit.actor, visit.id)
    return Elsewhere(f"{_here(visit)}/{visit.id}")


async def sign_out(visit: Visit) -> Answer:
    await people.sign_out(visit.context.services, visit.actor, visit.id)
    return Elsewhere(f"{_here(visit)}/{visit.id}")


async def forget_factor(visit: Visit) -> Answer:
    await factors.forget(visit.context.services, visit.actor, visit.id)
    return Elsewhere(f"{_here(visit)}/{visit.id}")


async def remove(visit: Visit) -> Answer:
    try:
        found = await people.find(visit.context.services, visit.actor, visit.id)
        if visit.given("email").lower() != found.email:
            raise BadRequest("Type the mail address of whom you remove.", param="email")
        await people.remove(visit.context.services, visit.actor, found.id)
    except _TROUBLES as trouble:
        return await _member(visit, trouble)
    return Elsewhere(f"{_here(visit)}?done=removed")


async def _page(visit: Visit, trouble: Failure | None = None, invited: Invited | None = None) -> Shown:
    services, account_id = visit.context.services, _account(visit)
    platform = account_id is None
    roles = PLATFORM if account_id is None else MEMBERS
    return Shown(
        "members.html",
        {
            "people": await people.list_all(services, visit.actor, account=account_id, platform=platform),
            "invitations": await invitations.list_all(services, visit.actor, account=account_id, platform=platform),
            "roles": list(roles),
            "matrix": list(_matrix(roles)),
            "given": visit.given,
            "trouble": trouble,
            "invited": invited,
            "done": visit.asked("done"),
            "here": _here(visit),
        },
        200 if trouble is None else trouble.status,
    )


async def _member(visit: Visit, trouble: Failure | None = None) -> Shown:
    services = visit.context.services
    found = await people.find(services, visit.actor, visit.id)
    keys = people.keys_made_by(services, found)
    return Shown(
        "member.html",
        {
            "member": found,
            "keys": [services.directory.keys[one] for one in keys],
            "sessions": services.sessions.of_person(found.id),
            "roles": list(PLATFORM if found.account_id is None else MEMBERS),
            "given": visit.given,
            "trouble": trouble,
            "here": _here(visit),
        },
        200 if trouble is None else trouble.status,
    )


def _here(visit: Visit) -> str:
    return OF_THE_PLATFORM if visit.path.startswith(OF_PLATFORM) else HERE


def _account(visit: Visit) -> str | None:
    """Whose members these are; None: those who run the platform."""
    return None if visit.account is None or visit.path.startswith(OF_PLATFORM) else visit.account.id


def _matrix(roles: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, list[str], list[bool]]]:
    """A noun, what is done with it, and for each role whether it may: what the same roles may stands in one row."""
    rows: dict[tuple[str, tuple[bool, ...]], list[str]] = {}
    for action in sorted(frozenset().union(*roles.values())):
        if action not in _NO_MATTER:
            noun = action.partition(".")[0]
            who = tuple(action in allowed for allowed in roles.values())
            rows.setdefault((noun, who), []).append(verb_of(action))
    for (noun, who), verbs in rows.items():
        yield _NOUNS.get(noun, noun.replace("_", " ")), verbs, list(who)


listing = page(f"GET {HERE}", may="people.list")(members)
inviting = page(f"POST {HERE}", may="people.invite")(invite)
withdrawing = page(f"POST {HERE}/invitations/{{id}}/withdraw", may="people.uninvite")(withdraw)
one = page(f"GET {HERE}/{{id}}", may="people.show")(member)
role = page(f"POST {HERE}/{{id}}/role", may="people.set")(change_role)
disabling = page(f"POST {HERE}/{{id}}/disable", may="people.disable")(disable)
enabling = page(f"POST {HERE}/{{id}}/enable", may="people.enable")(enable)
signing_out = page(f"POST {HERE}/{{id}}/sign-out", may="people.sign_out")(sign_out)
forgetting = page(f"POST {HERE}/{{id}}/forget-factor", may="people.forget_factor")(forget_factor)
removing = page(f"POST {HERE}/{{id}}/remove", may="people.remove")(remove)
