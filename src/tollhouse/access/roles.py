"""Who of the people may do what: the members of an account in it, the people of the platform in all of them.

What somebody may do is named like the route of the control API that does it (`keys.create`).
"""

from collections.abc import Mapping
from typing import Final

from tollhouse.core.person import Person

_LOOK: Final = frozenset(
    {
        "accounts.show", "accounts.overview", "keys.list", "keys.show", "keys.use", "requests.list", "requests.show",
        "requests.tail", "usage.list", "usage.series", "budgets.list", "limits.show", "models.list", "projects.list",
        "sessions.list", "sessions.end", "status.show", "tickets.list", "tickets.show",
    }
)  # fmt: skip
_DEVELOP: Final = _LOOK | {
    "playground.call",
    "keys.create",
    "keys.rotate",
    "keys.freeze",
    "keys.unfreeze",
    "keys.revoke",
    "tickets.create",
    "tickets.reply",
    "tickets.close",
}
_ADMINISTER: Final = _DEVELOP | {
    "budgets.set", "budgets.remove", "budgets.rehearse", "limits.set", "limits.remove",
    "projects.create", "projects.archive",
    "alerts.list", "alerts.test", "audit.list", "ledger.statement", "credits.show", "credits.list",
    "codes.preview", "codes.redeem", "people.list", "people.invitations", "accounts.zone",
}  # fmt: skip
_OWN: Final = _ADMINISTER | {
    "people.invite", "people.uninvite", "people.set", "people.disable", "people.enable", "people.sign_out",
    "people.forget_factor", "people.remove", "people.show",
}  # fmt: skip

MEMBERS: Final[Mapping[str, frozenset[str]]] = {
    "owner": _OWN,
    "admin": _ADMINISTER,
    "developer": _DEVELOP,
    "viewer": _LOOK,
}
_WATCH: Final = _LOOK | {
    "accounts.list", "accounts.figures", "providers.list", "providers.show", "incidents.list", "system.show",
    "prices.list", "announcements.list",
}  # fmt: skip
_LOOK_CLOSER: Final = {
    "people.list", "people.invitations", "alerts.list", "audit.list", "ledger.statement", "credits.show",
    "credits.list",
}  # fmt: skip
_ANSWER: Final = {"tickets.reply", "tickets.close"}
_SUPPORT: Final = _WATCH | _LOOK_CLOSER | _ANSWER | {
    "accounts.act_as", "providers.check", "system.examine", "announcements.open", "announcements.write",
    "announcements.close",
}  # fmt: skip
_FINANCE: Final = _WATCH | _LOOK_CLOSER | _ANSWER | {
    "accounts.act_as", "accounts.set", "credits.grant", "credits.adjust", "credits.refund", "margins.list",
    "tickets.refund", "tickets.limit",
    "price_drafts.list", "price_drafts.show", "price_drafts.import", "price_drafts.preview", "price_drafts.activate",
}  # fmt: skip
_RUN: Final = {
    "accounts.suspend", "accounts.resume", "providers.drain", "providers.resume", "tickets.rotate", "tickets.freeze",
}  # fmt: skip
PLATFORM: Final[Mapping[str, frozenset[str]]] = {
    "operator": _OWN | _SUPPORT | _FINANCE | _RUN,
    "finance": _FINANCE,
    "support": _SUPPORT,
    "viewer": _WATCH,
}
ACTING: Final = (_LOOK - {"sessions.end"}) | _LOOK_CLOSER
"""What somebody of the platform may do on the pages of an account that they look at: nothing but look."""


def may(person: Person, action: str) -> bool:
    roles = PLATFORM if person.account_id is None else MEMBERS
    return action in roles[person.role]


def lacks_factor(person: Person) -> bool:
    """They have to set up a second factor before they may do anything else."""
    return person.factor == "required" and person.totp is None
