"""/console/support/tickets: ask those who run the platform, mostly about a call, and read what they answer."""

from typing import Final

from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.ticket_forms import TROUBLE, CleanedForm, cleaned
from tollhouse.console.visit import Visit
from tollhouse.core.failure import Failure
from tollhouse.core.phrase import Phrase
from tollhouse.core.ticket import CONTENT_MAX, SUBJECT_MAX, TEXT_MAX
from tollhouse.services import models, receipts, rotation, tickets
from tollhouse.services.ticket_bundle import LABELS, reported
from tollhouse.services.ticket_words import event
from tollhouse.services.translation import said

PATH: Final = "/console/support/tickets"
_SHOWN: Final = 50


@page("GET /console/support/tickets", may="tickets.list")
async def listing(visit: Visit) -> Answer:
    found = await tickets.list_page(
        visit.context.services, visit.actor, after=visit.asked("after") or None, limit=_SHOWN
    )
    return Shown("tickets.html", {"tickets": found.records, "next": found.next})


@page("GET /console/support/tickets/new", may="tickets.create")
async def ask(visit: Visit) -> Answer:
    """`request`: the call that it is about. `limit`: one that is to be raised, by its name, for calls with `key` and to
    `model`."""
    return await _form(visit, visit.asked("request"), CleanedForm(_wish(visit)))


@page("POST /console/support/tickets/new", may="tickets.create")
async def create(visit: Visit) -> Answer:
    """Nothing goes that was not shown before: where a secret was taken out, the form comes again without it."""
    request_id = visit.given("request")
    form = cleaned(visit, "subject", "text", "content")
    if visit.given("do") == "look" or form.taken:
        return await _form(visit, request_id, form, looked=True)
    try:
        made = await tickets.create(
            visit.context.services,
            visit.actor,
            subject=visit.given("subject"),
            text=visit.given("text"),
            content=visit.given("content") if visit.given("shows") else None,
            request_id=request_id or None,
            language=visit.language,
        )
    except TROUBLE as trouble:
        return await _form(visit, request_id, form, trouble)
    return Elsewhere(f"{PATH}/{made.id}")


@page("GET /console/support/tickets/{id}", may="tickets.show")
async def one(visit: Visit) -> Answer:
    return await _thread(visit, CleanedForm({}))


@page("POST /console/support/tickets/{id}/reply", may="tickets.reply")
async def reply(visit: Visit) -> Answer:
    form = cleaned(visit, "text")
    if form.taken:
        return await _thread(visit, form)
    try:
        await tickets.reply(visit.context.services, visit.actor, visit.id, text=visit.given("text"))
    except TROUBLE as trouble:
        return await _thread(visit, form, trouble)
    return Elsewhere(f"{PATH}/{visit.id}#write")


@page("POST /console/support/tickets/{id}/close", may="tickets.close")
async def close(visit: Visit) -> Answer:
    await tickets.close(visit.context.services, visit.actor, visit.id)
    return Elsewhere(f"{PATH}/{visit.id}")


def _wish(visit: Visit) -> dict[str, str]:
    """What a form begins with that asks for a higher limit."""
    kind, services = visit.asked("limit"), visit.context.services
    if kind not in services.rules.names:
        return {}
    say = said(visit.language)
    about, account = [], visit.account
    key, model = services.directory.keys.get(visit.asked("key")), visit.asked("model")
    if key is not None and account is not None and key.account_id == account.id:
        about.append(say(Phrase("Key: %(key)s (%(id)s)", key=key.name, id=key.id)))
    if account is not None and model in {one.model.id for one in models.offered(services, account)}:
        about.append(say(Phrase("Model: %(model)s", model=model)))
    about.append(say(Phrase("What I need, and until when:")))
    return {
        "subject": say(Phrase("A higher limit: %(limit)s", limit=Phrase(kind.replace("_", " ")))),
        "text": "\n".join((*about, "")),
    }


async def _form(
    visit: Visit, request_id: str, form: CleanedForm, trouble: Failure | None = None, *, looked: bool = False
) -> Shown:
    """Raises PathNotFound for a call that is not there."""
    bundle: dict[str, str] = {}
    if request_id:
        services = visit.context.services
        receipt = await receipts.show(services, visit.actor, request_id)
        bundle = await reported(services, visit.actor, receipt, visit.language)
    values: dict[str, object] = {
        "request_id": request_id,
        "bundle": bundle,
        "labels": LABELS,
        "form": form,
        "shows": bool(visit.given("shows")),
        "looked": looked,
        "trouble": trouble,
        "subject_max": SUBJECT_MAX,
        "text_max": TEXT_MAX,
        "content_max": CONTENT_MAX,
    }
    return Shown("ticket_new.html", values, 200 if trouble is None else trouble.status)


async def _thread(visit: Visit, form: CleanedForm, trouble: Failure | None = None) -> Shown:
    values = await thread_values(visit, form, trouble)
    return Shown("ticket.html", values, 200 if trouble is None else trouble.status)


async def thread_values(visit: Visit, form: CleanedForm, trouble: Failure | None = None) -> dict[str, object]:
    """Raises PathNotFound."""
    found = await tickets.thread(
        visit.context.services, visit.actor, visit.id, after=visit.asked("after") or None, limit=_SHOWN
    )
    directory = visit.context.services.directory
    named = {one.told.get("key", "") for one in found.page.records if one.event == "rotate"}
    known = [directory.keys.get(one) for one in named]
    return {
        "ticket": found.ticket,
        "awaiting": {one.id for one in known if one is not None and rotation.awaits_secret(one)},
        "messages": [(one, event(one.event, one.told) if one.event else None) for one in reversed(found.page.records)],
        "writers": found.writers,
        "next": found.page.next,
        "is_newest": not visit.asked("after"),
        "labels": LABELS,
        "form": form,
        "trouble": trouble,
        "text_max": TEXT_MAX,
    }
