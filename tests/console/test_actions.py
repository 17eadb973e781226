"""Pages, routes of the control API and commands agree: what the console does, a program and an operator can do too.

Each page is held against the list of routes: by the action that it asks for, or, where whoever signs in may see it, by
what is written here. Each route has a command. What is missing on one side stands in a list, with its reason.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tollhouse import cli
from tollhouse.access import roles
from tollhouse.cli.routes import ROUTES
from tollhouse.console.route import EVERYBODY, SIGNED_IN, discovered
from tollhouse.edge.admin.table import TABLE

ONLY_HERE: Final[Mapping[str, str]] = {
    "accounts.act_as": "a browser looks at pages of an account; a program names the account in `account` of any route",
    "playground.call": "a program calls the LLM API itself",
}
"""Actions of pages that no route has, each with its reason."""
OF_WHOEVER_SIGNS_IN: Final[Mapping[str, str]] = {
    "GET /console/": "accounts.overview",
    "GET /console/settings": "sessions.list",
    **dict.fromkeys(("GET /status", "GET /status.json", "GET /status.atom"), "status.show"),
    "POST /console/settings/sessions/{id}/end": "sessions.end",
    "POST /console/settings/sessions/end": "people.sign_out",
}
"""What pages for everybody who signs in show or do, by the route that does it."""
IN_A_BROWSER: Final = (
    *("/console/sign-", "/console/password", "/console/invitation", "/console/address"),  # they make a session
    "/console/leak",  # the link of a mail; a program lets a key go on by `keys.unfreeze`
    *("/console/settings/password", "/console/settings/address", "/console/settings/factor"),
    "/console/settings/look",  # of the pages themselves
    "/console/platform/look/end",  # it ends `accounts.act_as`
    *("/support", "/console/support", "/docs/", "/llms.txt"),  # words for people, and the checklist
)
"""Beginnings of paths: who somebody is, they prove in a browser, by password and code. A program is a key."""
NO_COMMAND: Final[Mapping[str, str]] = {
    "accounts.zone": "commands are the operator's: accounts set --zone",
    "alerts.ask": "the token of a mail is a reader's, who comes with a browser",
    "alerts.confirm": "likewise",
    "openapi": "for programs",
    "support.diagnose": "`check` runs the same checklist, and calls the service with it",
    "platform.show": "system show tells the same and more",
}
"""Routes that no command calls, each with its reason."""
NO_PAGE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("accounts.create", "codes.create", "codes.list"), "an operator's, by a command; part 8 sells"),
    **dict.fromkeys(("platform.apply", "platform.plan", "platform.show"), "platform.toml lies on the server's disk"),
    **dict.fromkeys(("ledger.verify", "credits.expire"), "upkeep of the database"),
    "keys.report_leak": "a stranger's, who has no role",
    **dict.fromkeys(("explain",), "a receipt's page tells it of a call that was made"),
    "public_models.list": "beside a file of prices that is being made",
    "support.diagnose": "its page is for everybody",
    **dict.fromkeys(("alerts.ask", "alerts.confirm"), "it has a page of its own for whoever comes from a mail"),
    "openapi": "for programs",
}
"""Routes that no role of a person includes, each with its reason."""
ACTIONS: Final = sorted({one.may for one in discovered()} - {EVERYBODY, SIGNED_IN})
GRANTED: Final = frozenset[str]().union(*roles.MEMBERS.values(), *roles.PLATFORM.values())
NAMES: Final = sorted(route.name for route in TABLE)
COMMANDS: Final = "".join(
    file.read_text(encoding="utf-8") for file in Path(cli.__file__).parent.glob("*.py") if file.name != "routes.py"
)


@pytest.mark.parametrize("action", [one for one in ACTIONS if one not in ONLY_HERE])
def test_action_of_a_page_is_a_route_and_a_command(action: str) -> None:
    assert action in NAMES
    assert action in ROUTES
    assert is_called(action) or action in NO_COMMAND


def test_page_for_whoever_signs_in_is_a_route_or_a_matter_of_browsers() -> None:
    open_to_all = [one for one in discovered() if one.may in (EVERYBODY, SIGNED_IN)]
    for page in open_to_all:
        call = f"{page.method} {page.path}"
        assert (call in OF_WHOEVER_SIGNS_IN) != page.path.startswith(IN_A_BROWSER), call
    assert set(OF_WHOEVER_SIGNS_IN) <= {f"{page.method} {page.path}" for page in open_to_all}
    assert set(OF_WHOEVER_SIGNS_IN.values()) <= set(NAMES) & GRANTED
    for start in IN_A_BROWSER:
        assert any(page.path.startswith(start) for page in open_to_all), start


@pytest.mark.parametrize("name", [one for one in NAMES if one not in NO_COMMAND])
def test_route_has_a_command(name: str) -> None:
    assert is_called(name)


@pytest.mark.parametrize("name", [one for one in NAMES if one not in NO_PAGE])
def test_route_is_open_to_a_person_by_their_role(name: str) -> None:
    assert name in GRANTED


def is_called(name: str) -> bool:
    noun, _, verb = name.partition(".")
    return f'"{name}"' in COMMANDS or (f'f"{noun}.{{action}}"' in COMMANDS and f'"{verb}"' in COMMANDS)


def test_exceptions_are_no_more_than_there_are() -> None:
    assert set(ONLY_HERE) <= set(ACTIONS)
    assert set(ONLY_HERE).isdisjoint(NAMES)
    assert set(NO_COMMAND) <= set(NAMES)
    assert not [name for name in NO_COMMAND if is_called(name)]
    assert set(NO_PAGE) <= set(NAMES)
    assert GRANTED.isdisjoint(NO_PAGE)


def test_roles_name_nothing_that_is_not_there() -> None:
    assert set(ACTIONS) <= GRANTED
    assert {*ACTIONS, *NAMES} >= GRANTED


def test_routes_behind_pages_of_an_account_are_open_to_its_sessions() -> None:
    """What a page asks beside its own action: a session that may see the page may ask the route for the same."""
    beside = {
        "keys.list": ("keys.use",),
        "budgets.set": ("budgets.rehearse",),
        "codes.redeem": ("codes.preview",),
        "people.list": ("people.invitations",),
        "requests.list": ("requests.tail",),
    }
    for granted in (*roles.MEMBERS.values(), *roles.PLATFORM.values()):
        for action, others in beside.items():
            assert action not in granted or set(others) <= granted
