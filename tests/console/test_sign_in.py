"""Signing in: who gets a session, what its cookie is, and when it ends."""

import asyncio

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tests.console.harness import BROWSER, PASSWORD, Browser, member
from tollhouse.access.sessions import IDLE_MS, LIFETIME_MS, SEEN_EVERY_MS, SESSIONS_MAX
from tollhouse.services import sessions


def test_sign_in_leads_to_the_page_that_was_asked_for(admin: AdminHarness) -> None:
    browser, email = Browser(admin), member(admin, "alpha")
    asked = browser.get("/console/requests?status=4xx")
    assert asked.headers["location"] == "/console/sign-in?next=/console/requests%3Fstatus%3D4xx"
    assert 'value="/console/requests?status=4xx"' in browser.get(asked.headers["location"]).html
    done = browser.sign_in(email, following="/console/requests?status=4xx")
    assert (done.status, done.headers["location"]) == (303, "/console/requests?status=4xx")
    assert browser.get("/console/requests").status == 200


@pytest.mark.parametrize(
    "following", ["https://evil.example/", "//evil.example/console/", "/\\evil.example", "/console/\\x", "/v1/key", ""]
)
def test_sign_in_leads_to_no_other_site(admin: AdminHarness, following: str) -> None:
    done = Browser(admin).sign_in(member(admin, "alpha"), following=following)
    assert done.headers["location"] == "/console/"


def test_wrong_password_and_unknown_address_get_the_same_answer(admin: AdminHarness) -> None:
    browser, email = Browser(admin), member(admin, "alpha")
    wrong = browser.sign_in(email, "another password")
    unknown = browser.sign_in("nobody@alpha.example", "another password")
    assert wrong.status == unknown.status == 401
    assert wrong.html.replace(email, "") == unknown.html.replace("nobody@alpha.example", "")
    assert browser.cookie == ""


def test_guessing_is_stopped_by_address_and_by_person(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    browser = Browser(admin)
    seen = [browser.sign_in(email, "wrong").status for _ in range(12)]
    assert seen == [401] * 10 + [429] * 2
    assert browser.sign_in("another@alpha.example", "wrong").status == 429
    elsewhere = Browser(admin, address="198.51.100.9")
    assert elsewhere.sign_in(email).status == 429
    admin.clock.ms += 60_000
    assert elsewhere.sign_in(email).status == 303


def test_cookie_over_tls_is_bound_to_the_host(admin: AdminHarness) -> None:
    browser, email = Browser(admin), member(admin, "alpha")
    plain = browser.sign_in(email).headers["set-cookie"]
    assert plain.startswith("tollhouse_session=")
    assert plain.endswith("; HttpOnly; SameSite=Lax")
    browser.scheme = "https"
    secure = browser.sign_in(email).headers["set-cookie"]
    assert secure.startswith("__Host-tollhouse_session=")
    assert secure.endswith("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax; Secure")


def test_sign_out_ends_the_session_on_the_server(admin: AdminHarness, owner: Browser) -> None:
    cookie = owner.cookie
    done = owner.post("/console/sign-out")
    assert done.headers["location"] == "/console/sign-in"
    owner.cookie = cookie
    assert owner.get("/console/").status == 303


@pytest.mark.parametrize("pause_ms", [IDLE_MS, LIFETIME_MS])
def test_session_ends_when_nobody_uses_it(admin: AdminHarness, owner: Browser, pause_ms: int) -> None:
    admin.clock.ms += pause_ms
    assert owner.get("/console/").status == 303


def test_session_that_is_used_lives_on_but_not_for_ever(admin: AdminHarness, owner: Browser) -> None:
    began_ms = admin.clock.ms
    while admin.clock.ms + IDLE_MS - SEEN_EVERY_MS < began_ms + LIFETIME_MS:
        admin.clock.ms += IDLE_MS - SEEN_EVERY_MS
        assert owner.get("/console/keys/new").status == 200
    admin.clock.ms = began_ms + LIFETIME_MS
    assert owner.get("/console/keys/new").status == 303


def test_session_outlives_a_restart(admin: AdminHarness, owner: Browser) -> None:
    admin.close()
    admin.open()
    admin.runner.run(sessions.load(admin.services))
    again = Browser(admin)
    again.cookie = owner.cookie
    assert again.get("/console/keys/new").status == 200


def test_person_has_so_many_sessions_and_the_oldest_ends(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    browsers = [Browser(admin, address=f"198.51.100.{number}") for number in range(SESSIONS_MAX + 1)]
    for browser in browsers:
        admin.clock.ms += 10_000
        assert browser.sign_in(email).status == 303
    assert browsers[0].get("/console/keys/new").status == 303
    assert all(browser.get("/console/keys/new").status == 200 for browser in browsers[1:])


def test_invented_cookies_are_nobody(admin: AdminHarness) -> None:
    browser = Browser(admin)
    for cookie in ("tollhouse_session=x", "tollhouse_session=", "tollhouse_session=é", "a=b; ;;==", "x" * 4_000):
        browser.cookie = cookie
        assert browser.get("/console/").status == 303


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"sec-fetch-site", b"cross-site")],
        [(b"sec-fetch-site", b"same-site")],
        [(b"origin", b"https://evil.example")],
        [(b"origin", b"null")],
        [(b"sec-fetch-site", b"cross-site"), (b"origin", b"http://toll.example")],
    ],
)
def test_form_of_another_site_is_refused(
    admin: AdminHarness, owner: Browser, headers: list[tuple[bytes, bytes]]
) -> None:
    body = f"csrf={owner.csrf}&name=x".encode()
    assert owner.send("/console/keys", body, [*BROWSER, *headers]).status == 400
    assert len(admin.services.directory.keys) == 6


def test_form_without_the_session_s_token_is_refused(admin: AdminHarness, owner: Browser) -> None:
    other = Browser(admin)
    other.sign_in(member(admin, "beta"))
    other.get("/console/")
    for token in ("", "x", other.csrf):
        body = f"csrf={token}&name=x".encode()
        assert owner.send("/console/keys", body, [*BROWSER, (b"sec-fetch-site", b"same-origin")]).status == 400
    assert len(admin.services.directory.keys) == 6


def test_sessions_are_audited_without_their_secret(admin: AdminHarness, owner: Browser) -> None:
    secret = owner.cookie.partition("=")[2]
    owner.post("/console/sign-out")
    rows = admin.operator("GET", "/api/v1/audit").body["data"]
    actions = [row["action"] for row in rows if row["action"].startswith("session")]
    assert actions == ["session.end", "session.begin"]
    assert secret not in str(rows)
    assert PASSWORD not in str(rows)


def test_everywhere_means_all_but_the_one_that_is_kept(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    browsers = [Browser(admin) for _ in range(3)]
    for browser in browsers:
        browser.sign_in(email)
    person = admin.runner.run(admin.store.read(lambda tables: tables.people.by_email(email)))
    assert person is not None
    kept = admin.services.sessions.of_person(person.id)[0]
    ended = admin.runner.run(sessions.end_all(admin.services, OPERATOR, person, but=kept.id))
    assert ended == 2
    assert sum(browser.get("/console/keys/new").status == 200 for browser in browsers) == 1


def test_guesses_from_elsewhere_do_not_lock_out_who_comes_from_a_network_they_know(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    assert Browser(admin, address="203.0.113.7").sign_in(email).status == 303
    for number in range(40):
        Browser(admin, address=f"198.51.100.{number}").sign_in(email, "a wrong password")
        admin.clock.ms += 6_000
    assert Browser(admin, address="198.51.100.200").sign_in(email).status == 429
    assert Browser(admin, address="203.0.113.7").sign_in(email).status == 303


def test_guesses_wait_longer_and_longer_whatever_network_they_come_from(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    tried, browser = 0, Browser(admin)
    for number in range(24 * 60):
        browser.address = f"198.51.{number // 250}.{number % 250}"
        reply = browser.sign_in(email, "a wrong password")
        tried += reply.status == 401
        admin.clock.ms += 60_000
    assert tried < 120


def test_known_network_may_not_guess_for_ever_either(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    assert Browser(admin).sign_in(email).status == 303
    admin.clock.ms += 60_000
    seen = [Browser(admin).sign_in(email, "a wrong password").status for _ in range(11)]
    assert seen == [401] * 10 + [429]


def test_session_that_ended_while_a_page_was_asked_for_does_not_come_back(admin: AdminHarness, owner: Browser) -> None:
    secret = owner.cookie.partition("=")[2]
    session = admin.services.sessions.find(secret, admin.clock.ms)
    assert session is not None
    admin.clock.ms += SEEN_EVERY_MS

    async def both() -> None:
        person = await admin.store.read(lambda tables: tables.people.get(session.person_id))
        assert person is not None
        asked = asyncio.create_task(sessions.visitor(admin.services, secret))
        await asyncio.sleep(0)
        await sessions.end(admin.services, OPERATOR, person, session.id)
        await asked

    admin.runner.run(both())
    assert owner.get("/console/").status == 303
