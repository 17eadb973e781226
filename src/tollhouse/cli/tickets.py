"""tollhouse tickets: what customers ask, and what is done about it."""

from cyclopts import App

from tollhouse.cli.asking import Yes, confirm
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.control import call
from tollhouse.cli.field_options import Given, takes
from tollhouse.cli.terminal import Answer, columns, show, show_fields, show_rows
from tollhouse.core.escaping import printable_lines
from tollhouse.services.given.paging import Paging
from tollhouse.services.given.tickets import (
    NewTicket,
    NewTicketMessage,
    TicketKey,
    TicketLimit,
    TicketQuery,
    TicketRefund,
    TicketRotation,
)

app = App(name="tickets", help="What customers ask, and what is done about it.")

_FIELDS = (
    *("id", "account_id", "subject", "request_id", "state", "turn", "messages", "created_at", "changed_at", "asked_at"),
    "bundle",
)


@app.command
@takes(NewTicket, "subject")
def create(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Open a ticket for an account."""
    ticket = call(at, "tickets.create", body=given)
    show(at, ticket, f"Opened {ticket['id']}")


@app.command(name="list")
@takes(TicketQuery)
def list_all(given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Tickets, those that changed last first; with --order waiting those that wait longest."""
    shown = columns("id", "account_id", "subject", "request_id", "state", "turn", "messages", "changed_at")
    show_rows(at, call(at, "tickets.list", body=given), shown, empty="Nobody asks anything")


@app.command(name="show")
@takes(Paging)
def one(ticket: str, given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """A ticket with its thread, the newest first."""
    found = call(at, "tickets.show", ticket, body=given)
    show_fields(at, found, _FIELDS)
    if at.json:
        return
    if found["content"]:
        print(f"\nWhat the customer shows of the call:\n{printable_lines(found['content'])}")
    for said in found["thread"]:
        print(f"\n{said['created_at']}  {said['side']}\n{printable_lines(_text(said))}")
    if found["next"]:
        print(f"\nThere are more: --after {found['next']}")


@app.command
@takes(NewTicketMessage, "text")
def reply(ticket: str, given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Write in a ticket; whoever asked gets a mail."""
    answer = call(at, "tickets.reply", ticket, body=given)
    show(at, answer, f"Written in {answer['id']}")


@app.command
def close(ticket: str, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Close a ticket: nobody has to answer any more."""
    answer = call(at, "tickets.close", ticket)
    show(at, answer, f"Closed {answer['id']}")


@app.command
@takes(TicketRefund)
def refund(ticket: str, given: Given, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Give back what the ticket's call was charged, once."""
    confirm(at, f"Give back what the call of {ticket} was charged? This stays in the ledger.", yes=yes)
    entry = call(at, "tickets.refund", ticket, body=given)
    show(at, entry, f"Gave back {entry['amount_usd']} USD; the balance is {entry['balance_usd']} USD")


@app.command
@takes(TicketLimit)
def limit(ticket: str, given: Given, *, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Raise a limit until a date, on the account or on the key of the call."""
    answer = call(at, "tickets.limit", ticket, body=given)
    show_rows(at, answer, columns("name", "level", "of_id", "limit", "until"), empty="Nothing was set")


@app.command
@takes(TicketRotation)
def rotate(ticket: str, given: Given, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """End a key's secret; whoever owns it makes another one."""
    confirm(at, "End the key's secret? Calls with it are refused from then on.", yes=yes)
    answer = call(at, "tickets.rotate", ticket, body=given)
    ends = answer["secrets"][0]["valid_until"]
    show(at, answer, f"The secret of {answer['id']} ends at {ends}; its account makes another one")


@app.command
@takes(TicketKey)
def freeze(ticket: str, given: Given, *, yes: Yes = False, at: CommonOptions = DEFAULT_OPTIONS) -> None:
    """Refuse a key's calls until it is unfrozen."""
    confirm(at, "Freeze the key? It is refused until it is unfrozen.", yes=yes)
    answer = call(at, "tickets.freeze", ticket, body=given)
    show(at, answer, f"Froze key {answer['id']}")


def _text(said: Answer) -> str:
    if said["event"] is None:
        return str(said["text"])
    told = ", ".join(f"{name} {value}" for name, value in said["told"].items())
    return f"[{said['event']}] {told}"
