"""A notice in words, for mail: a subject and a text that say what happened, to what, and what can be done."""

from collections.abc import Callable, Mapping
from typing import Final

from tollhouse.access.directory import Directory
from tollhouse.core.notice import Notice

Data = Mapping[str, str | int | None]
_NAME_MAX = 80


def subject(notice: Notice, directory: Directory) -> str:
    data = notice.data
    if notice.type == "budget.threshold":
        return f"{data['threshold_percent']} % of a budget is used: {_object(data, directory)}"
    if notice.type == "balance.low":
        return f"The balance is low: {_account(data, directory)}"
    if notice.type == "key.expiring":
        return f"A key expires in {_days(data)}: {_named('key', data, directory)}"
    if notice.type == "spend.unusual":
        return f"Spending is unusual today: {_account(data, directory)}"
    if notice.type == "alerts.folded":
        return f"{data['folded']} more alerts within an hour: {_account(data, directory)}"
    if notice.type == "alerts.paused":
        return f"A receiver of alerts does not answer: {_account(data, directory)}"
    if notice.type == "address.confirm":
        return "May alerts be sent to this address?"
    if notice.type in _SUBJECTS:
        return _SUBJECTS[notice.type]
    return "A test of this alert"


_SUBJECTS: Mapping[str, str] = {
    "person.invitation": "You are invited",
    "person.account": "Open your account",
    "person.reset": "Set a new password",
    "person.address": "Is this your new address?",
    "person.known": "You have an account here already",
    "person.changed": "How you sign in has changed",
}
WITH_LINK: Final = ("person.invitation", "person.account", "person.reset", "person.address")
"""Mails that lead somewhere, by a link that is made when they leave."""
_LETTERS: Mapping[str, tuple[str, str]] = {
    "person.invitation": ("Somebody has invited you to this platform.", "Choose a password within seven days"),
    "person.account": ("You can open an account on this platform now.", "Do so within the time it is valid"),
    "person.reset": (
        "Somebody, probably you, has asked to set a new password for this address.",
        "Set it within an hour",
    ),
    "person.address": ("You want to sign in by this address from now on.", "Confirm it within a day"),
}


def letter(notice: Notice, public_url: str, path: str) -> str:
    """What leads its reader to a page. Nothing that a customer wrote stands in it: it may go to strangers."""
    what, how = _LETTERS[notice.type]
    where = f"{public_url.rstrip('/').removesuffix('/v1')}{path}"
    on = "" if public_url else ", on the address by which you reach the platform"
    return (
        f"{what} {how}{on}:\n\n{where}\n\nIt works once. If you know nothing of this, do nothing: "
        f"nothing changes.\n\nId of this notice: {notice.id}"
    )


def text(notice: Notice, directory: Directory) -> str:
    """Lines of plain text, the first of them a sentence."""
    rows = [(name, value) for name, value in _rows(notice, directory) if value is not None]
    width = max((len(name) for name, _ in rows), default=0) + 2
    table = "\n".join(f"{name + ':':<{width}}{value}" for name, value in rows)
    return f"{_SENTENCES[notice.type](notice.data)}\n\n{table}\n\nId of this notice: {notice.id}"


def confirmation(public_url: str, account_id: str, token: str) -> str:
    """What asks the reader of an address. Nothing that a customer wrote stands in it: it goes to strangers."""
    path = f"/api/v1/alerts/confirm?token={token}"
    how = (
        f"follow this link, and confirm there:\n\n{public_url.rstrip('/')}{path}"
        if public_url
        else f"send this request to the platform:\n\nPOST {path}"
    )
    return (
        f"Account {account_id} of this platform has named your address for alerts about its budgets. To get them, {how}"
        "\n\nWithin seven days. If you know nothing of this, do nothing: no alert is sent to you, and this mail is not "
        "sent to you more than three times a day."
    )


def _rows(notice: Notice, directory: Directory) -> list[tuple[str, str | int | None]]:
    data = notice.data
    rows: list[tuple[str, str | int | None]] = [
        ("Level", data.get("level")),
        ("Account", _named("account", data, directory)),
        ("Project", _named("project", data, directory)),
        ("Key", _named("key", data, directory)),
        ("Budget", data.get("budget_id")),
    ]
    if "threshold_percent" in data:
        rows.append(("Reached", f"{data['threshold_percent']} %"))
    for name, member in (("Limit", "limit_usd"), ("Used", "used_usd"), ("Available", "available_usd")):
        rows.append((name, _usd(data.get(member))))
    for name, member in (("Told below", "below_usd"), ("Spent today", "spent_usd"), ("Usual in a day", "usual_usd")):
        rows.append((name, _usd(data.get(member))))
    if "resets_at" in data:
        rows.append(("Resets", data["resets_at"] or "never: this budget is for all time"))
    rows.append(("Expires", data.get("expires_at")))
    for name, member in (("Receiver", "receiver"), ("Waiting", "waiting"), ("Hour from", "from")):
        rows.append((name, data.get(member)))
    if notice.type == "alerts.folded":
        rows += [(str(kind), count) for kind, count in data.items() if "." in kind]
    return rows


def _object(data: Data, directory: Directory) -> str | None:
    return _named(str(data["level"]), data, directory)


def _account(data: Data, directory: Directory) -> str | None:
    return _named("account", data, directory)


def _named(kind: str, data: Data, directory: Directory) -> str | None:
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
    return f'{kind} "{name[:_NAME_MAX]}" ({object_id})' if name else f"{kind} {object_id}"


def _usd(value: str | int | None) -> str | None:
    return None if value is None else f"{value} USD"


def _days(data: Data) -> str:
    return "1 day" if data["days"] == 1 else f"{data['days']} days"


_SENTENCES: Mapping[str, Callable[[Data], str]] = {
    "budget.threshold": lambda data: (
        f"{data['threshold_percent']} % of a budget is used."
        + (" Calls that need more of it are refused." if data["threshold_percent"] == 100 else "")
    ),
    "balance.low": lambda data: "Little money is left. When it is used up, calls are refused.",
    "key.expiring": lambda data: (
        "A key is about to expire. Calls with it are refused from then on: rotate or renew it."
    ),
    "spend.unusual": lambda data: "Today's calls have cost more than three times what a day usually costs.",
    "alerts.folded": lambda data: (
        "More alerts came about than are sent one by one in a day. Each of them stands in the list of alerts."
    ),
    "alerts.paused": lambda data: (
        "A webhook or chat has taken nothing several times in a row. What waits for it is tried less and less often,"
        " and given up after three days."
    ),
    "address.confirm": lambda data: "Somebody has named this address for alerts.",
    **{
        kind: (lambda data, words=words: words[0])  # type: ignore[misc]
        for kind, words in _LETTERS.items()
    },
    "person.known": lambda data: (
        "Somebody, probably you, has given this address to open an account or to sign in by it. You sign in by it"
        " already: if you have forgotten the password, set a new one from the page where one signs in."
    ),
    "person.changed": lambda data: (
        "Your password, your address or your second factor was changed. If that was not you, set a new password at once"
        " from the page where one signs in, and tell whoever runs this platform."
    ),
    "alert.test": lambda data: "Somebody asked for a test of this alert. It works.",
}
