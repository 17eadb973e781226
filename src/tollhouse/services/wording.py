"""A notice in words, for mail: a subject and a text that say what happened, to what, and what can be done.

Both are phrases, which `said` says in the language of who reads them.
"""

from collections.abc import Mapping
from typing import Final
from unicodedata import east_asian_width

from tollhouse.access.directory import Directory
from tollhouse.core.links import site
from tollhouse.core.notice import Notice
from tollhouse.core.phrase import Phrase, translatable
from tollhouse.services import ticket_words
from tollhouse.services.translation import Said

Data = Mapping[str, str | int | None]
Cell = str | int | None
_NAME_MAX = 80


def subject(notice: Notice, directory: Directory) -> Phrase:
    data = notice.data
    account = _named("account", data, directory)
    if notice.type == "budget.threshold":
        told = _named(str(data["level"]), data, directory)
        return Phrase("%(percent)s %% of a budget is used: %(what)s", percent=data["threshold_percent"], what=told)
    if notice.type == "balance.low":
        return Phrase("The balance is low: %(account)s", account=account)
    if notice.type == "key.expiring":
        return Phrase("A key expires in %(days)s: %(key)s", days=_days(data), key=_named("key", data, directory))
    if notice.type == "spend.unusual":
        return Phrase("Spending is unusual today: %(account)s", account=account)
    if notice.type in ("key.leaked", "key.old_secret_leaked"):
        return Phrase("A key was found where it should not be: %(key)s", key=_named("key", data, directory))
    if notice.type == "alerts.folded":
        return Phrase("%(count)s more alerts within an hour: %(account)s", count=data["folded"], account=account)
    if notice.type == "alerts.paused":
        return Phrase("A receiver of alerts does not answer: %(account)s", account=account)
    if notice.type in ticket_words.TYPES:
        return ticket_words.subject(notice)
    return _SUBJECTS.get(notice.type) or Phrase("A test of this alert")


_SUBJECTS: Final[Mapping[str, Phrase]] = {
    "address.confirm": Phrase("May alerts be sent to this address?"),
    "person.invitation": Phrase("You are invited"),
    "person.account": Phrase("Open your account"),
    "person.reset": Phrase("Set a new password"),
    "person.address": Phrase("Is this your new address?"),
    "person.known": Phrase("You have an account here already"),
    "person.changed": Phrase("How you sign in has changed"),
}
WITH_LINK: Final = ("person.invitation", "person.account", "person.reset", "person.address", "key.leaked")
"""Mails that lead somewhere, by a link that is made when they leave."""
_LETTERS: Final[Mapping[str, tuple[Phrase, Phrase]]] = {
    "person.invitation": (
        Phrase("Somebody has invited you to this platform."),
        Phrase("Choose a password within seven days"),
    ),
    "person.account": (
        Phrase("You can open an account on this platform now."),
        Phrase("Do so within the time it is valid"),
    ),
    "person.reset": (
        Phrase("Somebody, probably you, has asked to set a new password for this address."),
        Phrase("Set it within an hour"),
    ),
    "person.address": (
        Phrase("You want to sign in by this address from now on."),
        Phrase("Confirm it within a day"),
    ),
}
_LET_GO_ON: Final = Phrase("If it is safe, let the key go on as it is, within seven days")
_UNKNOWN_HOST: Final = translatable("%(how)s, on the address by which you reach the platform")


def letter(notice: Notice, public_url: str, path: str, said: Said) -> str:
    """What leads its reader to a page. Nothing that a customer wrote stands in it: it may go to strangers."""
    what, how = _LETTERS[notice.type]
    where = f"{site(public_url)}{path}"
    asked = Phrase("%(what)s %(how)s:", what=what, how=_asked(how, public_url))
    once = Phrase("It works once. If you know nothing of this, do nothing: nothing changes.")
    return "\n\n".join((said(asked), where, said(once), said(_id(notice))))


def leaked(notice: Notice, public_url: str, path: str, directory: Directory, said: Said) -> str:
    """What tells owners that their key is frozen, and leads to where it goes on."""
    safe = Phrase("%(how)s:", how=_asked(_LET_GO_ON, public_url))
    page = f"{site(public_url)}/console/keys/{notice.data['key']}"
    better = Phrase("Else give it a new secret there, and put that in place of the old one:")
    once = Phrase("The link works once.")
    told = text(notice, directory, said)
    return "\n\n".join((told, said(safe), f"{site(public_url)}{path}", said(once), said(better), page))


def _asked(how: Phrase, public_url: str) -> Phrase:
    return how if public_url else Phrase(_UNKNOWN_HOST, how=how)


def text(notice: Notice, directory: Directory, said: Said) -> str:
    """Lines of plain text, the first of them a sentence."""
    rows = [(f"{said(name)}:", said(_cell(value))) for name, value in _rows(notice, directory) if value is not None]
    width = max((_width(name) for name, _ in rows), default=0) + 1
    table = "\n".join(f"{name}{' ' * (width - _width(name))}{value}" for name, value in rows)
    return f"{said(_sentence(notice))}\n\n{table}\n\n{said(_id(notice))}"


def confirmation(public_url: str, account_id: str, token: str, said: Said) -> str:
    """What asks the reader of an address. Nothing that a customer wrote stands in it: it goes to strangers."""
    path = f"/api/v1/alerts/confirm?token={token}"
    how = (
        Phrase("To get them, follow this link, and confirm there:")
        if public_url
        else Phrase("To get them, send this request to the platform:")
    )
    asked = Phrase(
        "Account %(account)s of this platform has named your address for alerts about its budgets. %(how)s",
        account=account_id,
        how=how,
    )
    unasked = Phrase(
        "Within seven days. If you know nothing of this, do nothing: no alert is sent to you, and this mail is not "
        "sent to you more than three times a day."
    )
    where = f"{site(public_url)}{path}" if public_url else f"POST {path}"
    return "\n\n".join((said(asked), where, said(unasked)))


def _id(notice: Notice) -> Phrase:
    return Phrase("Id of this notice: %(id)s", id=notice.id)


def _rows(notice: Notice, directory: Directory) -> list[tuple[str, Cell]]:
    data = notice.data
    level = data.get("level")
    rows: list[tuple[str, Cell]] = [
        (translatable("Level"), None if level is None else Phrase(str(level))),
        (translatable("Account"), _named("account", data, directory)),
        (translatable("Project"), _named("project", data, directory)),
        (translatable("Key"), _named("key", data, directory)),
        (translatable("Budget"), data.get("budget_id")),
        (translatable("Ends with"), data.get("last4")),
        (translatable("Found at"), data.get("found_at")),
        (translatable("Found in"), data.get("source")),
        (translatable("Used last"), data.get("last_used_at")),
        (translatable("By the client"), data.get("client")),
        (translatable("From"), data.get("network")),
        (translatable("Cost in 24 hours"), _usd(data.get("cost_day_usd"))),
        (translatable("Cost in 30 days"), _usd(data.get("cost_month_usd"))),
    ]
    if "threshold_percent" in data:
        rows.append((translatable("Reached"), f"{data['threshold_percent']} %"))
    rows += [
        (translatable("Limit"), _usd(data.get("limit_usd"))),
        (translatable("Used"), _usd(data.get("used_usd"))),
        (translatable("Available"), _usd(data.get("available_usd"))),
        (translatable("Told below"), _usd(data.get("below_usd"))),
        (translatable("Spent today"), _usd(data.get("spent_usd"))),
        (translatable("Usual in a day"), _usd(data.get("usual_usd"))),
    ]
    if "resets_at" in data:
        rows.append((translatable("Resets"), data["resets_at"] or Phrase("never: this budget is for all time")))
    rows += [
        (translatable("Expires"), data.get("expires_at")),
        (translatable("Receiver"), data.get("receiver")),
        (translatable("Waiting"), data.get("waiting")),
        (translatable("Hour from"), data.get("from")),
    ]
    if notice.type == "alerts.folded":
        rows += [(str(kind), count) for kind, count in data.items() if "." in kind]
    return rows


def _cell(value: Cell) -> str:
    return value if isinstance(value, Phrase) else str(value)


def _named(kind: str, data: Data, directory: Directory) -> Phrase | None:
    """`project "web" (proj_...)`: the name as it is now, for a notice holds ids only."""
    object_id = data.get(kind)
    if object_id is None:
        return None
    known: Mapping[str, Mapping[str, object]] = {
        "account": directory.accounts,
        "project": directory.projects,
        "key": directory.keys,
    }
    found = known[kind].get(str(object_id))
    name = "".join(letter if letter.isprintable() else " " for letter in getattr(found, "name", ""))
    if not name:
        return Phrase("%(kind)s %(id)s", kind=Phrase(kind), id=object_id)
    return Phrase('%(kind)s "%(name)s" (%(id)s)', kind=Phrase(kind), name=name[:_NAME_MAX], id=object_id)


def _usd(value: Cell) -> str | None:
    return None if value is None else f"{value} USD"


def _days(data: Data) -> Phrase:
    return Phrase("1 day") if data["days"] == 1 else Phrase("%(count)s days", count=data["days"])


def _width(text: str) -> int:
    """How many columns a text takes where letters of one width stand."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _sentence(notice: Notice) -> Phrase:
    if notice.type == "budget.threshold":
        percent = notice.data["threshold_percent"]
        if percent == 100:
            return Phrase("100 %% of a budget is used. Calls that need more of it are refused.")
        return Phrase("%(percent)s %% of a budget is used.", percent=percent)
    return _SENTENCES[notice.type] if notice.type in _SENTENCES else _LETTERS[notice.type][0]


_SENTENCES: Final[Mapping[str, Phrase]] = {
    "balance.low": Phrase("Little money is left. When it is used up, calls are refused."),
    "key.expiring": Phrase("A key is about to expire. Calls with it are refused from then on: rotate or renew it."),
    "spend.unusual": Phrase("Today's calls have cost more than three times what a day usually costs."),
    "alerts.folded": Phrase(
        "More alerts came about than are sent one by one in a day. Each of them stands in the list of alerts."
    ),
    "alerts.paused": Phrase(
        "A webhook or chat has taken nothing several times in a row. What waits for it is tried less and less often,"
        " and given up after three days."
    ),
    "key.leaked": Phrase(
        "Somebody has found the whole secret of this key and reported it. The key is frozen: calls with it are refused."
    ),
    "key.old_secret_leaked": Phrase(
        "Somebody has found an old secret of this key and reported it. That secret no longer works; the key goes on"
        " with its new one."
    ),
    "address.confirm": Phrase("Somebody has named this address for alerts."),
    "person.known": Phrase(
        "Somebody, probably you, has given this address to open an account or to sign in by it. You sign in by it"
        " already: if you have forgotten the password, set a new one from the page where one signs in."
    ),
    "person.changed": Phrase(
        "Your password, your address or your second factor was changed. If that was not you, set a new password at once"
        " from the page where one signs in, and tell whoever runs this platform."
    ),
    "alert.test": Phrase("Somebody asked for a test of this alert. It works."),
}
