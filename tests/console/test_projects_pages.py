"""The page of projects: what each spends; one is made, and archived after its consequences were shown."""

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE, Browser, Outline, member
from tests.console.test_pages import require_sound
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.charge import Charge


def made(admin: AdminHarness, account: str = "alpha") -> str:
    body = admin.bearer(f"{account}-admin", "POST", "/api/v1/projects", {"name": "research"}).body
    return str(body["id"])


def test_project_is_made_and_its_spend_is_shown(admin: AdminHarness, owner: Browser) -> None:
    assert owner.post("/console/projects", name="research").headers["location"] == "/console/projects"
    project = next(one for one in admin.services.directory.projects.values() if one.name == "research")
    admin.call("alpha-live", project_id=project.id, charge=Charge(amount=3 * USD, price_id="price_1"))
    page = owner.get("/console/projects")
    require_sound(page.html)
    for words in ("research", "$3.00", f"/console/projects/{project.id}/archive", "default"):
        assert words in page.html


@pytest.mark.parametrize("name", ["", "research", HOSTILE * 20, "key_aaaaaaaaaaaaaaaaaaaaaaaaaa"])
def test_wrong_name_is_refused_and_stays_typed(admin: AdminHarness, owner: Browser, name: str) -> None:
    made(admin)
    reply = owner.post("/console/projects", name=name)
    assert reply.status in (400, 409)
    assert Outline(reply.html).inline_scripts == 0
    assert len(admin.services.directory.projects) == 3


def test_archiving_says_first_what_stops(admin: AdminHarness, owner: Browser) -> None:
    project = made(admin)
    owner.post("/console/keys", name="in it", project=project)
    key_id = next(one.id for one in admin.services.directory.keys.values() if one.name == "in it")
    assert "made no call" in owner.get(f"/console/projects/{project}/archive").html
    admin.call("alpha-live", project_id=project, key_id=key_id)
    page = owner.get(f"/console/projects/{project}/archive")
    require_sound(page.html)
    assert "its keys made 1 call." in page.html
    assert "in it" in page.html
    assert admin.services.directory.projects[project].state == "active"
    assert owner.post(f"/console/projects/{project}/archive").status == 303
    assert admin.services.directory.projects[project].state == "archived"
    assert "It is archived already." in owner.get(f"/console/projects/{project}/archive").html


def test_default_project_stays(admin: AdminHarness, owner: Browser) -> None:
    default = next(
        one for one in admin.services.directory.projects.values() if one.account_id == admin.accounts["alpha"]
    )
    reply = owner.post(f"/console/projects/{default.id}/archive")
    assert reply.status == 409
    assert "every account keeps" in reply.html


def test_another_account_s_project_is_one_that_never_was(admin: AdminHarness, owner: Browser) -> None:
    foreign = made(admin, "beta")
    for ask in (owner.get, owner.post):
        answers = []
        for project_id in (foreign, "proj_aaaaaaaaaaaaaaaaaaaaaaaaaa"):
            reply = ask(f"/console/projects/{project_id}/archive")
            answers.append((reply.status, reply.html.replace(project_id, "")))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    assert foreign not in owner.get("/console/projects").html
    assert admin.services.directory.projects[foreign].state == "active"


@pytest.mark.parametrize("role", ["viewer", "developer"])
def test_role_that_only_looks_changes_no_project(admin: AdminHarness, role: str) -> None:
    project = made(admin)
    browser = Browser(admin)
    browser.sign_in(member(admin, "alpha", role))
    page = browser.get("/console/projects")
    assert page.status == 200
    assert "Create the project" not in page.html
    assert browser.post("/console/projects", name="mine").status == 403
    for ask in (browser.get, browser.post):
        assert ask(f"/console/projects/{project}/archive").status == 403
