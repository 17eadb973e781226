"""The second factor: set up, asked for at sign-in, each code good once; and who may not be without one."""

import re

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tests.console.harness import PASSWORD, Browser, member
from tests.console.test_letters import asked, token_of
from tests.console.test_pages import require_sound
from tests.console.test_settings_page import NEW, person_of, signed_in
from tollhouse.access import totp
from tollhouse.access.vault import Vault
from tollhouse.services import people

EMAIL = "owner@alpha.example"


class Authenticator:
    """What is on somebody's phone."""

    def __init__(self, admin: AdminHarness, secret: str) -> None:
        self._admin, self._secret = admin, secret

    def code(self) -> str:
        """Half a minute later, so that it was not used yet."""
        self._admin.clock.ms += totp.STEP_MS
        return totp.code_at(self._secret, self._admin.clock.ms // totp.STEP_MS)


def set_up(admin: AdminHarness, browser: Browser) -> tuple[Authenticator, list[str]]:
    """The authenticator and the recovery codes."""
    page = browser.get("/console/settings/factor").html
    require_sound(page)
    phone = Authenticator(admin, re.findall(r"secret=([A-Z2-7]+)&amp;", page)[0])
    reply = browser.post("/console/settings/factor", present=PASSWORD, code=phone.code())
    require_sound(reply.html)
    return phone, re.findall(r"<li><code>([\w-]+)</code>", reply.html)


def asked_for_code(browser: Browser, email: str = EMAIL, password: str = PASSWORD) -> str:
    """What the page behind the password brings along."""
    reply = browser.sign_in(email, password)
    assert (reply.status, browser.cookie) == (200, "")
    assert 'autocomplete="one-time-code"' in reply.html
    require_sound(reply.html)
    return str(re.findall(r'name="wanted" value="([\w-]+)"', reply.html)[0])


def give(browser: Browser, wanted: str, code: str) -> int:
    return browser.post("/console/sign-in/code", wanted=wanted, code=code, next="").status


def test_sign_in_asks_for_a_code_once_it_is_set_up(admin: AdminHarness, owner: Browser) -> None:
    other, before = signed_in(admin, EMAIL), owner.cookie
    phone, codes = set_up(admin, owner)
    assert (len(codes), len(set(codes))) == (10, 10)
    assert owner.cookie != before
    assert other.get("/console/settings").status == 303
    browser = Browser(admin)
    wanted = asked_for_code(browser)
    assert give(browser, wanted, "000000") == 401
    assert browser.cookie == ""
    assert give(browser, wanted, phone.code()) == 303
    assert browser.get("/console/settings").status == 200


def test_code_is_taken_once(admin: AdminHarness, owner: Browser) -> None:
    phone, _ = set_up(admin, owner)
    first, second, code = Browser(admin), Browser(admin), phone.code()
    wanted = asked_for_code(first), asked_for_code(second)
    assert give(first, wanted[0], code) == 303
    assert give(second, wanted[1], code) == 401
    assert give(first, wanted[0], phone.code()) in (400, 401)


def test_recovery_code_signs_in_once(admin: AdminHarness, owner: Browser) -> None:
    phone, codes = set_up(admin, owner)
    for _ in range(2):
        browser = Browser(admin)
        status = give(browser, asked_for_code(browser), codes[3].upper())
    assert status == 401
    assert len(person_of(admin, EMAIL).recovery) == 9
    owner.get("/console/settings/factor")
    renewed = owner.post("/console/settings/factor/codes", present=PASSWORD, code=phone.code())
    assert codes[4] not in renewed.html
    browser = Browser(admin)
    assert give(browser, asked_for_code(browser), codes[4]) == 401


def test_five_wrong_codes_lead_back_to_the_password(admin: AdminHarness, owner: Browser) -> None:
    phone, _ = set_up(admin, owner)
    browser = Browser(admin)
    wanted = asked_for_code(browser)
    assert [give(browser, wanted, "000000") for _ in range(5)] == [401] * 5
    assert give(browser, wanted, phone.code()) == 401
    assert browser.cookie == ""
    wanted = asked_for_code(browser)
    assert [give(browser, wanted, "000000") for _ in range(5)] == [401] * 5
    wanted = asked_for_code(browser)
    assert give(browser, wanted, phone.code()) == 429
    admin.clock.ms += 60_000
    assert give(browser, wanted, phone.code()) == 303


def test_page_for_the_code_is_over_after_ten_minutes(admin: AdminHarness, owner: Browser) -> None:
    phone, _ = set_up(admin, owner)
    browser = Browser(admin)
    wanted = asked_for_code(browser)
    admin.clock.ms += 10 * 60_000
    assert give(browser, wanted, phone.code()) == 401
    for invented in ("", "x", "é" * 50):
        assert give(browser, invented, phone.code()) == 401


def test_it_is_turned_off_with_password_and_code(admin: AdminHarness, owner: Browser) -> None:
    phone, _ = set_up(admin, owner)
    owner.get("/console/settings/factor")
    for present, code in ((PASSWORD, "000000"), ("wrong password", phone.code()), (PASSWORD, "")):
        assert owner.post("/console/settings/factor/off", present=present, code=code).status == 400
    assert owner.post("/console/settings/factor/off", present=PASSWORD, code=phone.code()).status == 303
    assert Browser(admin).sign_in(EMAIL).status == 303


@pytest.mark.parametrize("given", [{"present": PASSWORD, "code": "000000"}, {"present": "wrong one here", "code": ""}])
def test_it_is_not_set_up_without_a_proof(admin: AdminHarness, owner: Browser, given: dict[str, str]) -> None:
    owner.get("/console/settings/factor")
    reply = owner.post("/console/settings/factor", **given)
    assert reply.status == 400
    require_sound(reply.html)
    assert person_of(admin, EMAIL).totp is None


def test_password_cannot_be_changed_without_a_code(admin: AdminHarness, owner: Browser) -> None:
    phone, _ = set_up(admin, owner)
    owner.get("/console/settings")
    assert owner.post("/console/settings/password", present=PASSWORD, password=NEW).status == 400
    code = phone.code()
    assert owner.post("/console/settings/password", present=PASSWORD, password=NEW, code=code).status == 303
    owner.get("/console/settings")
    assert owner.post("/console/settings/password", present=NEW, password=PASSWORD, code=code).status == 400


def test_new_password_by_mail_does_not_skip_it(admin: AdminHarness, owner: Browser) -> None:
    phone, _ = set_up(admin, owner)
    path = asked(admin, EMAIL)
    assert Browser(admin).post("/console/password/new", token=token_of(path), password=NEW).status == 303
    browser = Browser(admin)
    assert give(browser, asked_for_code(browser, password=NEW), phone.code()) == 303


def test_new_password_ends_a_sign_in_that_waits_for_its_code(admin: AdminHarness, owner: Browser) -> None:
    phone, _ = set_up(admin, owner)
    thief = Browser(admin)
    wanted, path = asked_for_code(thief), asked(admin, EMAIL)
    Browser(admin).post("/console/password/new", token=token_of(path), password=NEW)
    assert give(thief, wanted, phone.code()) == 401


def test_secret_is_kept_encrypted_by_the_master_key(admin: AdminHarness, owner: Browser) -> None:
    admin.services.vault = Vault("a master key of thirty-two bytes.")
    phone, _ = set_up(admin, owner)
    kept = person_of(admin, EMAIL).totp
    assert kept is not None
    assert kept.startswith("enc:v1:")
    browser = Browser(admin)
    assert give(browser, asked_for_code(browser), phone.code()) == 303
    audited = str(admin.operator("GET", "/api/v1/audit").body)
    assert kept not in audited
    assert "recovery" not in audited.replace("person.recovery", "")


def test_owner_forgets_the_factor_of_whoever_lost_it(admin: AdminHarness, owner: Browser) -> None:
    email = member(admin, "alpha", "developer")
    other = signed_in(admin, email)
    set_up(admin, other)
    assert owner.post(f"/console/members/{person_of(admin, email).id}/forget-factor").status == 303
    assert other.get("/console/settings").status == 303
    assert Browser(admin).sign_in(email).status == 303


def test_who_has_to_have_one_sees_nothing_before(admin: AdminHarness) -> None:
    email = "boss@platform.example"
    admin.runner.run(
        people.create(admin.services, OPERATOR, email=email, password=PASSWORD, role="operator", factor="required")
    )
    boss = Browser(admin)
    assert boss.sign_in(email).status == 303
    for path in ("/console/platform/accounts", "/console/settings", "/console/members", "/console/"):
        assert boss.get(path).headers["location"] == "/console/settings/factor"
    assert (
        boss.post("/console/settings/password", present=PASSWORD, password=NEW).headers["location"].endswith("factor")
    )
    phone, _ = set_up(admin, boss)
    assert boss.get("/console/platform/accounts").status == 200
    boss.get("/console/settings/factor")
    refused = boss.post("/console/settings/factor/off", present=PASSWORD, code=phone.code())
    assert (refused.status, person_of(admin, email).totp is None) == (409, False)
