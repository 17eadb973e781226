"""The public status: figures of real traffic beside what is told of incidents, as a page, as JSON, and as a feed."""

import json
from typing import Any
from xml.etree import ElementTree

from msgspec import structs

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE, Browser, member, of_platform
from tests.console.test_letters import mails
from tests.console.test_pages import require_sound
from tollhouse.core.catalogue import Catalogue, Model, Plan
from tollhouse.core.service_level import CALLS_MIN
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import Attempt
from tollhouse.services import service_levels

ANNOUNCEMENTS = "/console/platform/announcements"
ATOM = "{http://www.w3.org/2005/Atom}"


def serves(admin: AdminHarness, *models: str, **groups: tuple[str, ...]) -> None:
    """These models are there, those in `groups` for few."""
    known = {model: Model(id=model) for model in models}
    known |= {model: Model(id=model, groups=few) for model, few in groups.items()}
    admin.services.catalogue = Catalogue(models=known, plans={"vip": Plan(id="vip", groups=("default", "vip"))})
    admin.runner.run(service_levels.load(admin.services))


def ended(
    admin: AdminHarness, model: str, count: int, failed: int = 0, key: str = "alpha-live", **changed: Any
) -> None:
    """So many calls ended a moment ago, the last ones of them by a failure of the provider."""
    spoken = {
        "model": model,
        "mode": "live",
        "stream": True,
        "first_byte_ms": 400,
        "last_byte_ms": 2_010,
        "usage": Usage(input=3, output=100),
        "attempts": (Attempt(provider="secret-house", model="up", status=200, start_ms=10, end_ms=400),),
        **changed,
    }
    broke = {"status": 502, "error": "upstream_error", "ending": "failed_before_first_byte"}
    records = [
        structs.replace(admin.record(key, number), **(spoken | (broke if number > count - failed else {})))
        for number in range(1, count + 1)
    ]
    admin.services.levels.ended.extend(records)
    admin.runner.run(service_levels.count_ended(admin.services))


def operator(admin: AdminHarness, role: str = "operator") -> Browser:
    browser = Browser(admin)
    browser.sign_in(of_platform(admin, role))
    browser.get(ANNOUNCEMENTS)
    return browser


def told(admin: AdminHarness) -> Any:
    return json.loads(Browser(admin).get("/status.json").html)


def test_figures_of_a_model_stand_beside_their_colour(admin: AdminHarness) -> None:
    serves(admin, "good", "poor")
    ended(admin, "good", 40)
    ended(admin, "poor", 40, failed=10)
    html = Browser(admin).get("/status").html
    require_sound(html)
    for words in ("75.0 %", "100 %", "many calls fail", "works", "431 ms", "50"):
        assert words in html
    assert html.index("poor") < html.index("good")
    models = {one["model"]: one for one in told(admin)["models"]}
    assert models["poor"]["state"] == "fails"
    assert models["poor"]["hour"]["success_percent"] == 75.0
    assert models["good"]["day"] == {
        "success_percent": 100.0,
        "first_token_p50_ms": 431,
        "first_token_p95_ms": 431,
        "tokens_per_second": 50,
    }


def test_nothing_is_said_without_traffic_or_of_few_calls(admin: AdminHarness) -> None:
    serves(admin, "rare", "never")
    assert "Too few calls ended" in Browser(admin).get("/status").html
    ended(admin, "rare", CALLS_MIN - 1, failed=5)
    admin.clock.ms += 10_000
    assert told(admin)["models"] == []
    assert told(admin)["silent"] == 2
    assert "rare" not in Browser(admin).get("/status").html


def test_nothing_of_a_customer_or_a_provider_is_told(admin: AdminHarness) -> None:
    serves(admin, "good")
    ended(admin, "good", 40)
    for path in ("/status", "/status.json", "/status.atom"):
        text = Browser(admin).get(path).html
        for name in ("secret-house", "alpha", "beta", admin.accounts["alpha"], "40"):
            assert name not in text.replace("2040", ""), (path, name)


def test_model_for_few_is_told_to_those_who_may_call_it(admin: AdminHarness) -> None:
    serves(admin, "open", hidden=("vip",))
    ended(admin, "open", 40)
    ended(admin, "hidden", 40)
    account = admin.services.directory.accounts[admin.accounts["alpha"]]
    admin.services.directory.put_account(structs.replace(account, groups=("vip",)))
    editor = operator(admin)
    editor.post(ANNOUNCEMENTS, title="Slow", text="We look.", models="open, hidden")
    editor.post(ANNOUNCEMENTS, title="Only theirs", text="We look.", models="hidden")
    for path in ("/status", "/status.json", "/status.atom"):
        text = Browser(admin).get(path).html
        assert "open" in text
        assert "hidden" not in text.replace('type="hidden"', "")
        assert "Only theirs" not in text
    mine, other = Browser(admin), Browser(admin)
    mine.sign_in(member(admin, "alpha"))
    other.sign_in(member(admin, "beta"))
    assert "<code>hidden</code>" in mine.get("/status").html
    assert "<code>hidden</code>" not in other.get("/status").html
    assert "<code>hidden</code>" in editor.get("/status").html


def test_own_calls_stand_beside_everybody_s(admin: AdminHarness, owner: Browser) -> None:
    serves(admin, "good")
    ended(admin, "good", 40, key="beta-live")
    admin.clock.ms += 60_000
    admin.call("alpha-live", 1, model="good")
    admin.call("alpha-live", 2, model="good", status=502, error="upstream_error", ending="failed_before_first_byte")
    admin.call("alpha-live", 3, model="good", status=400, error="invalid_request_error", ending="refused")
    html = owner.get("/status").html
    require_sound(html)
    assert "Is it me?" in html
    assert "1 worked, and 1 failed" in html
    assert '<a href="/docs/errors/invalid_request_error">' in html
    assert "50.0 %" in html
    assert "100 %" in html
    assert "Is it me?" not in Browser(admin).get("/status").html


def test_incident_is_opened_written_to_and_closed_for_everybody_to_see(admin: AdminHarness) -> None:
    serves(admin, "good")
    editor = operator(admin, "support")
    done = editor.post(ANNOUNCEMENTS, title=f"Slow {HOSTILE}", text=f"We look.\nSoon more. {HOSTILE}", models="good")
    ann_id = done.headers["location"].partition("#")[2]
    require_sound(editor.get(ANNOUNCEMENTS).html)
    html = Browser(admin).get("/status").html
    require_sound(html)
    assert HOSTILE not in html
    assert "Incidents now" in html
    editor.post(f"{ANNOUNCEMENTS}/{ann_id}/write", text="The provider is back.")
    editor.post(f"{ANNOUNCEMENTS}/{ann_id}/close", text="")
    admin.clock.ms += 10_000
    html = Browser(admin).get("/status").html
    assert "Incidents now" not in html
    assert html.index("It is over.") < html.index("The provider is back.") < html.index("We look.")
    (one,) = told(admin)["incidents"]
    assert (one["id"], one["models"], len(one["updates"])) == (ann_id, ["good"], 3)
    assert one["closed_at"] is not None
    again = editor.post(f"{ANNOUNCEMENTS}/{ann_id}/write", text="more words")
    assert (again.status, "more words" in again.html) == (409, True)


def test_feed_is_sound_xml_that_tells_the_incidents(admin: AdminHarness) -> None:
    serves(admin, "good")
    empty = ElementTree.fromstring(Browser(admin).get("/status.atom").html)
    assert not empty.findall(f"{ATOM}entry")
    operator(admin).post(ANNOUNCEMENTS, title=f"Slow {HOSTILE} & ]]>", text="<b>We look.</b>", models="good")
    admin.clock.ms += 10_000
    reply = Browser(admin).get("/status.atom")
    assert reply.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(reply.html)
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == f"Slow {HOSTILE} & ]]>"
    assert "<b>We look.</b>" in (entry.findtext(f"{ATOM}content") or "")
    for name in ("id", "updated", "title"):
        assert entry.findtext(f"{ATOM}{name}")
        assert feed.findtext(f"{ATOM}{name}")


def test_wrong_input_keeps_what_was_typed(admin: AdminHarness) -> None:
    serves(admin, "good")
    editor = operator(admin)
    reply = editor.post(ANNOUNCEMENTS, title="Kept title", text="Kept text", models="goood")
    assert reply.status == 400
    for words in ("Kept title", "Kept text", "goood", "the nearest known one is good"):
        assert words in reply.html
    key = "sk-" + "th-live-" + "A1b2" * 12 + "C"
    assert editor.post(ANNOUNCEMENTS, title="x", text=f"it was {key}").status == 400
    assert editor.post(ANNOUNCEMENTS, title="x" * 121, text="y").status == 400
    assert editor.post(ANNOUNCEMENTS, title="x", text="y" * 2_001).status == 400
    assert editor.post(f"{ANNOUNCEMENTS}/ann_none/write", text="y").status == 404
    assert told(admin)["incidents"] == []


def test_who_may_not_write_only_looks(admin: AdminHarness) -> None:
    viewer = operator(admin, "viewer")
    assert viewer.get(ANNOUNCEMENTS).status == 200
    assert viewer.post(ANNOUNCEMENTS, title="x", text="y").status == 403


def test_page_for_everybody_is_kept_some_seconds_and_apart_by_host(admin: AdminHarness) -> None:
    serves(admin, "good")
    browser = Browser(admin)
    before = browser.get("/status").html
    ended(admin, "good", 40)
    assert browser.get("/status").html == before
    admin.clock.ms += 5_000
    assert "good" in browser.get("/status").html
    operator(admin).post(ANNOUNCEMENTS, title="Slow", text="We look.")
    admin.clock.ms += 5_000
    evil = browser.get("/status.atom", [(b"host", b"evil.example")]).html
    assert "evil.example" in evil
    assert "evil.example" not in browser.get("/status.atom").html


def test_link_of_a_mail_about_a_found_key(admin: AdminHarness, owner: Browser) -> None:
    """Through the control API, the mail, and the page behind its link."""
    reply = admin.ask(
        "POST", "/api/v1/keys/report-leak", [{"token": admin.secrets["alpha-live"], "url": "https://a.b/c"}]
    )
    assert (reply.status, reply.body) == (200, {"received": 1})
    (mail,) = [one for one in mails(admin) if one.subject.startswith("A key was found")]
    token = mail.text.partition("/console/leak?token=")[2].split()[0]
    reader = Browser(admin)
    page = reader.get(f"/console/leak?token={token}")
    require_sound(page.html)
    key = admin.services.directory.keys
    assert key[admin.keys["alpha-live"]].state == "frozen"
    assert "Give it a new secret" in owner.get(f"/console/keys/{admin.keys['alpha-live']}").html
    done = reader.post("/console/leak", token=token)
    require_sound(done.html)
    assert key[admin.keys["alpha-live"]].state == "active"
    assert reader.post("/console/leak", token=token).status == 404
    assert reader.get("/console/leak?token=x").status == 404
