"""Tickets by the control API: what a program asks, reads and does, within its account and its role."""

import pytest
from msgspec import structs

from tests.admin.harness import AdminHarness
from tollhouse.core.charge import Charge
from tollhouse.services import maxima
from tollhouse.store.tables import SqlRepositories

PATH = "/api/v1/tickets"
USD = 1_000_000_000


def ask(admin_harness: AdminHarness, key: str = "alpha-admin", **more: object) -> str:
    reply = admin_harness.bearer(key, "POST", PATH, {"subject": "It fails", "text": "Why?\nTell me."} | more)
    assert reply.status == 201, reply.body
    return str(reply.body["id"])


def test_account_asks_and_the_operator_answers(admin_harness: AdminHarness) -> None:
    call = admin_harness.call("alpha-live", 3)
    ticket_id = ask(admin_harness, request_id=call.id, content="{}\n")
    shown = admin_harness.bearer("alpha-admin", "GET", f"{PATH}/{ticket_id}").body
    assert (shown["state"], shown["turn"], shown["messages"]) == ("open", "platform", 1)
    assert shown["bundle"]["request_id"] == call.id
    assert shown["thread"][0]["text"] == "Why?\nTell me."
    replied = admin_harness.operator("POST", f"{PATH}/{ticket_id}/reply", {"text": "So."})
    assert (replied.status, replied.body["turn"]) == (201, "account")
    thread = admin_harness.bearer("alpha-admin", "GET", f"{PATH}/{ticket_id}").body["thread"]
    assert [(one["side"], one["author_id"] is None) for one in thread] == [("platform", True), ("account", False)]
    closed = admin_harness.bearer("alpha-admin", "POST", f"{PATH}/{ticket_id}/close", {})
    assert closed.body["state"] == "closed"


def test_list_is_narrowed_and_read_in_pages(admin_harness: AdminHarness) -> None:
    ids = [ask(admin_harness) for _ in range(5)]
    ask(admin_harness, "beta-admin")
    admin_harness.operator("POST", f"{PATH}/{ids[0]}/reply", {"text": "So."})
    admin_harness.operator("POST", f"{PATH}/{ids[1]}/close", {})
    seen, query = [], "?limit=2"
    while query:
        page = admin_harness.bearer("alpha-admin", "GET", f"{PATH}{query}").body
        seen += [one["id"] for one in page["data"]]
        query = f"?limit=2&after={page['next']}" if page["next"] else ""
    assert seen == [ids[1], ids[0], ids[4], ids[3], ids[2]], "those that changed last are first"
    waiting = admin_harness.operator("GET", f"{PATH}?state=open&turn=platform&account=alpha").body["data"]
    assert [one["id"] for one in waiting] == [ids[4], ids[3], ids[2]]
    assert len(admin_harness.operator("GET", PATH).body["data"]) == 6


def test_operator_acts_and_a_program_sees_it(admin_harness: AdminHarness) -> None:
    call = admin_harness.call("alpha-live", 3, charge=Charge(amount=USD, price_id="price_1"))
    ticket_id = ask(admin_harness, request_id=call.id)
    path = f"{PATH}/{ticket_id}"
    first = admin_harness.operator("POST", f"{path}/refund", {"amount_usd": "0.5"})
    assert (first.status, first.body["amount_usd"], first.body["repeated"]) == (200, "0.5", False)
    again = admin_harness.operator("POST", f"{path}/refund", {"amount_usd": "0.7"})
    assert again.status == 409
    raised = admin_harness.operator(
        "POST", f"{path}/limit", {"kind": "requests_per_minute", "most": 900, "until": "7d", "on": "key"}
    )
    assert raised.body["data"][0]["of_id"] == admin_harness.keys["alpha-live"]
    assert admin_harness.operator("POST", f"{path}/rotate", {"key": "alpha-test"}).status == 200
    assert admin_harness.operator("POST", f"{path}/freeze", {}).body["state"] == "frozen"
    thread = admin_harness.bearer("alpha-admin", "GET", path).body["thread"]
    assert [one["event"] for one in thread] == ["freeze", "rotate", "limit", "refund", None]
    assert thread[3]["told"] == {"usd": "0.5"}
    for deed in ("refund", "limit", "rotate", "freeze"):
        assert admin_harness.bearer("alpha-admin", "POST", f"{path}/{deed}", {}).status == 403


def test_deed_without_a_call_names_what_is_missing(admin_harness: AdminHarness) -> None:
    path = f"{PATH}/{ask(admin_harness)}"
    assert admin_harness.operator("POST", f"{path}/refund", {}).body["error"]["param"] == "request_id"
    for deed in ("rotate", "freeze"):
        assert admin_harness.operator("POST", f"{path}/{deed}", {}).body["error"]["param"] == "key"
    foreign = admin_harness.operator("POST", f"{path}/freeze", {"key": admin_harness.keys["beta-live"]})
    assert foreign.status == 404


def test_operator_opens_one_for_an_account(admin_harness: AdminHarness) -> None:
    foreign = admin_harness.call("beta-live", 2).id
    given = {"subject": "We saw errors", "text": "Look.", "account": "alpha"}
    made = admin_harness.operator("POST", PATH, given)
    assert (made.body["account_id"], made.body["turn"]) == (admin_harness.accounts["alpha"], "account")
    assert admin_harness.operator("POST", PATH, {**given, "request_id": foreign}).status == 404
    assert admin_harness.bearer("alpha-admin", "POST", PATH, {**given, "request_id": foreign}).status == 404
    assert admin_harness.bearer("alpha-admin", "POST", PATH, {**given, "account": "beta"}).status == 404


def test_day_of_an_account_has_an_end(admin_harness: AdminHarness) -> None:
    ticket_id = ask(admin_harness)
    for number in range(1, 200):
        admin_harness.clock.ms += 10_000
        if number % 100 == 0:
            ticket_id = ask(admin_harness)
        else:
            given = {"text": "again"}
            assert admin_harness.bearer("alpha-admin", "POST", f"{PATH}/{ticket_id}/reply", given).status == 201
    admin_harness.clock.ms += 10_000
    refused = admin_harness.bearer("alpha-admin", "POST", f"{PATH}/{ticket_id}/reply", {"text": "one more"})
    assert (refused.status, "written enough" in refused.message) == (429, True)
    assert admin_harness.bearer("beta-admin", "POST", PATH, {"subject": "s", "text": "t"}).status == 201


def test_ticket_that_is_refused_runs_no_checklist(admin_harness: AdminHarness) -> None:
    call = admin_harness.call("alpha-live", 3)
    given = {"subject": "s", "text": "t", "request_id": call.id}
    answers = [admin_harness.bearer("alpha-admin", "POST", PATH, given).status for _ in range(60)]
    assert (answers[:2], answers[-1]) == ([201, 201], 429)
    assert admin_harness.ask("POST", "/api/v1/support/diagnose", {"error": "x"}, headers=[]).status == 200


def test_tickets_that_are_kept_have_an_end(admin_harness: AdminHarness) -> None:
    ticket_id = ask(admin_harness)
    assert admin_harness.bearer("alpha-admin", "POST", f"{PATH}/{ticket_id}/close", {}).status == 200

    def copy(tables: SqlRepositories) -> None:
        closed = tables.tickets.get(ticket_id)
        assert closed is not None
        for number in range(maxima.TICKETS_KEPT_MAX - 1):
            tables.tickets.add(structs.replace(closed, id=f"tkt_{number}"))

    admin_harness.runner.run(admin_harness.services.rows.change(copy))
    refused = admin_harness.bearer("alpha-admin", "POST", PATH, {"subject": "s", "text": "t"})
    assert (refused.status, "closed ones are deleted after 365 days" in refused.message) == (409, True)
    assert admin_harness.operator("POST", PATH, {"subject": "s", "text": "t", "account": "alpha"}).status == 201
    assert admin_harness.bearer("beta-admin", "POST", PATH, {"subject": "s", "text": "t"}).status == 201


def test_thread_has_an_end_and_can_be_closed(admin_harness: AdminHarness) -> None:
    ticket_id = ask(admin_harness)
    path = f"{PATH}/{ticket_id}"
    for _ in range(maxima.MESSAGES_MAX - 51):
        assert admin_harness.operator("POST", f"{path}/reply", {"text": "so"}).status == 201
    refused = admin_harness.operator("POST", f"{path}/reply", {"text": "so"})
    assert (refused.status, "open another ticket" in refused.message) == (409, True)
    assert admin_harness.operator("POST", f"{path}/close", {}).status == 200


@pytest.mark.parametrize("text", ["a\x00b", "\ud7ff\x1b[2J", "a\u202eb"])
def test_what_does_not_print_is_left_out(admin_harness: AdminHarness, text: str) -> None:
    ticket_id = ask(admin_harness, text=f"x {text} y")
    kept = admin_harness.bearer("alpha-admin", "GET", f"{PATH}/{ticket_id}").body["thread"][0]["text"]
    assert kept.startswith("x ")
    assert all(letter.isprintable() for letter in kept)
