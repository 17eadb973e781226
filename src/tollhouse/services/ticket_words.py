"""What happened in a ticket, in words: on its page, and in the mails that lead there.

Nothing that a customer wrote stands in a mail: it leads to the page, where one signs in.
"""

from collections.abc import Mapping
from typing import Final

from tollhouse.core.links import site
from tollhouse.core.notice import Notice
from tollhouse.core.phrase import Phrase
from tollhouse.services.translation import Said

ASKED: Final = "ticket.asked"
ANSWERED: Final = "ticket.answered"
TYPES: Final = (ASKED, ANSWERED)
"""To those who run the platform; to the account."""
_PATHS: Final = {ASKED: "/console/platform/tickets", ANSWERED: "/console/support/tickets"}


def event(name: str, told: Mapping[str, object]) -> Phrase:
    """What was done. `told`: as the event keeps it."""
    values = {key: told.get(key, "") for key in ("usd", "last4", "kind", "most", "until")}
    if name == "refund":
        return Phrase("The charge of the call was given back: %(usd)s USD.", usd=values["usd"])
    if name == "limit":
        return Phrase(
            "A limit was set: %(kind)s, at most %(most)s, until %(until)s.",
            kind=Phrase(str(values["kind"]).replace("_", " ").replace("%", "%%")),
            most=values["most"],
            until=values["until"],
        )
    if name == "rotate" and values["until"]:
        return Phrase(
            "The secret of the key ending in %(last4)s ends on %(until)s: make a new one before.",
            last4=values["last4"],
            until=values["until"],
        )
    if name == "rotate":
        return Phrase(
            "The secret of the key ending in %(last4)s has ended, and calls with it are refused: make a new one.",
            last4=values["last4"],
        )
    if name == "freeze":
        return Phrase(
            "The key ending in %(last4)s is frozen: calls with it are refused until it is unfrozen.",
            last4=values["last4"],
        )
    return Phrase("The ticket was closed. Whoever writes again opens it.")


def subject(notice: Notice) -> Phrase:
    if notice.type == ASKED:
        return Phrase("A customer has written: %(ticket)s", ticket=notice.object_id)
    if notice.data.get("event") is None:
        return Phrase("Your ticket has an answer: %(ticket)s", ticket=notice.object_id)
    return Phrase("Something was done about your ticket: %(ticket)s", ticket=notice.object_id)


def sentence(notice: Notice) -> Phrase:
    happened = notice.data.get("event")
    if happened is not None:
        return event(str(happened), notice.data)
    if notice.type == ASKED:
        return Phrase("A customer has written in a ticket.")
    return Phrase("Those who run the platform have written in your ticket.")


def mail(notice: Notice, public_url: str, said: Said) -> str:
    """Lines of plain text, with the address of the thread."""
    path = f"{_PATHS[notice.type]}/{notice.object_id}"
    where = f"{site(public_url)}{path}"
    how = (
        Phrase("Read it and answer there; an answer to this mail is read by nobody:")
        if public_url
        else Phrase("Read it and answer there, on the address by which you reach the platform:")
    )
    number = Phrase("Id of this notice: %(id)s", id=notice.id)
    return "\n\n".join((said(sentence(notice)), said(how), where, said(number)))
