"""The audit in words: a sentence for each kind of change, and values as people read them."""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct

from tollhouse.billing.budgets import Budget
from tollhouse.console.figures import usd
from tollhouse.core.account import Account, ApiKey, Project
from tollhouse.core.audit import AuditRow
from tollhouse.core.instant import rfc3339
from tollhouse.core.limit import Rule
from tollhouse.core.person import Person
from tollhouse.core.phrase import translatable

_RECORDS: Final = (Account, ApiKey, Project, Person, Budget, Rule)
_MONEY: Final = frozenset(("amount", "credit_limit"))
_OTHER: Final = translatable("%(who)s did this: %(action)s on %(what)s.")
SENTENCES: Final[Mapping[str, str]] = {
    "account.act_as": translatable("%(who)s began to look at the pages of the account %(what)s."),
    "account.act_as_end": translatable("%(who)s stopped looking at the pages of the account %(what)s."),
    "account.create": translatable("%(who)s created the account %(what)s."),
    "account.resume": translatable("%(who)s let the account %(what)s go on."),
    "account.set": translatable("%(who)s changed the account %(what)s."),
    "account.suspend": translatable("%(who)s suspended the account %(what)s."),
    "alert.confirm": translatable("%(who)s agreed to get alerts: %(what)s."),
    "alert.test": translatable("%(who)s sent a test alert of %(what)s."),
    "announcement.close": translatable("%(who)s told everybody that the incident %(what)s is over."),
    "announcement.open": translatable("%(who)s told everybody of the incident %(what)s."),
    "announcement.write": translatable("%(who)s wrote to the incident %(what)s."),
    "budget.remove": translatable("%(who)s removed the budget %(what)s."),
    "budget.set": translatable("%(who)s set the budget %(what)s."),
    "code.redeem": translatable("%(who)s redeemed the code %(what)s."),
    "credits.adjust": translatable("%(who)s adjusted the balance: %(what)s."),
    "credits.expire": translatable("A grant ended, and what was left of it is gone: %(what)s."),
    "credits.grant": translatable("%(who)s granted money: %(what)s."),
    "credits.refund": translatable("%(who)s gave back the money of a call: %(what)s."),
    "key.create": translatable("%(who)s created the key %(what)s."),
    "key.end_secret": translatable("%(who)s ended the secret of the key %(what)s."),
    "key.first_use": translatable("The new secret of the key %(what)s was used for the first time."),
    "key.freeze": translatable("%(who)s froze the key %(what)s."),
    "key.leak": translatable("%(who)s froze the key %(what)s, for its secret was found where it should not be."),
    "key.revoke": translatable("%(who)s revoked the key %(what)s."),
    "key.rotate": translatable("%(who)s gave the key %(what)s a new secret."),
    "key.unfreeze": translatable("%(who)s let the key %(what)s go on."),
    "limit.remove": translatable("%(who)s removed the limit %(what)s."),
    "limit.set": translatable("%(who)s set the limit %(what)s."),
    "person.create": translatable("%(who)s added the member %(what)s."),
    "person.ask_reset": translatable("%(who)s asked for a new password for %(what)s."),
    "person.disable": translatable("%(who)s disabled the member %(what)s."),
    "person.enable": translatable("%(who)s let the member %(what)s sign in again."),
    "person.factor_off": translatable("%(who)s switched the second factor of %(what)s off."),
    "person.factor_on": translatable("%(who)s switched the second factor of %(what)s on."),
    "person.forget_factor": translatable("%(who)s removed the second factor of %(what)s."),
    "person.invite": translatable("%(who)s invited the member %(what)s."),
    "person.look": translatable("%(who)s changed how pages look for %(what)s."),
    "person.password": translatable("%(who)s set a new password for %(what)s."),
    "person.recovery": translatable("%(who)s made new recovery codes for %(what)s."),
    "person.remove": translatable("%(who)s removed the member %(what)s."),
    "person.reset": translatable("%(what)s set a new password by a link in a mail."),
    "person.set": translatable("%(who)s changed the member %(what)s."),
    "person.sign_out": translatable("%(who)s signed %(what)s out everywhere."),
    "person.uninvite": translatable("%(who)s took back the invitation of %(what)s."),
    "project.archive": translatable("%(who)s archived the project %(what)s."),
    "project.create": translatable("%(who)s created the project %(what)s."),
    "session.begin": translatable("%(who)s signed in."),
    "session.end": translatable("%(who)s signed out."),
    "ticket.close": translatable("%(who)s closed the ticket %(what)s."),
    "ticket.create": translatable("%(who)s opened the ticket %(what)s."),
    "ticket.reply": translatable("%(who)s wrote in the ticket %(what)s."),
}


class ChangedField(Struct, frozen=True, kw_only=True):
    """A field with what it held and holds. `before`: empty where it was made."""

    name: str
    before: str
    after: str


def sentence_of(row: AuditRow) -> str:
    """With places for `who`, `what` and `action`, to be translated before they are filled."""
    return SENTENCES.get(row.action, _OTHER)


def figure_of(row: AuditRow) -> str:
    """What a change is about where its object has no name: a budget or a limit by its figure, money by its amount."""
    told = row.before | row.after
    if type(told.get("amount")) is int and isinstance(told.get("kind"), str):
        return f"{usd(int(str(told['amount'])))} · {told['kind']}"
    if "most" in told:
        return f"{told['most']} · {str(told.get('kind', '')).replace('_', ' ')}"
    return f"{told['usd']} USD" if "usd" in told else ""


def changes_of(row: AuditRow) -> list[ChangedField]:
    names = dict.fromkeys((*row.before, *row.after))
    return [
        ChangedField(
            name=_in_words(name),
            before=_written(name, row.before.get(name)),
            after=_written(name, row.after.get(name)),
        )
        for name in names
        if row.before.get(name) not in (None, "", [], {}) or row.after.get(name) not in (None, "", [], {})
    ]


def names_of_fields() -> set[str]:
    """What changes tell of, as far as records say it."""
    names = {name for kind in _RECORDS for name in kind.__struct_fields__}
    beside = {"kind", "usd", "reason", "request_id", "overlap_ms", "overlap_from", "subject", "turn"}
    return {_in_words(name) for name in names | beside}


def _in_words(name: str) -> str:
    return name.removesuffix("_ms").replace("_", " ")


def _written(name: str, value: object) -> str:
    if value is None:
        return ""
    if name in _MONEY and type(value) is int:
        return usd(value)
    if name == "overlap_ms" and type(value) is int:
        return f"{value // 1_000} s"
    if name.endswith("_ms") and type(value) is int:
        return rfc3339(value)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
