"""What the console offers can be done by the control API and by a command: one action, one name."""

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
    "accounts.act_as": "what is looked at are pages",
    "playground.call": "a program calls the LLM API itself",
    **dict.fromkeys(
        ("incidents.list", "system.show", "system.examine"),
        "what the running process knows has no routes yet: whoever adds them takes these out",
    ),
}
"""Actions of pages that no route has, each with its reason."""
NO_COMMAND: Final[Mapping[str, str]] = {"accounts.zone": "commands are the operator's: accounts set --zone"}
ACTIONS: Final = sorted({one.may for one in discovered()} - {EVERYBODY, SIGNED_IN})
COMMANDS: Final = "".join(
    file.read_text(encoding="utf-8") for file in Path(cli.__file__).parent.glob("*.py") if file.name != "routes.py"
)


@pytest.mark.parametrize("action", [one for one in ACTIONS if one not in ONLY_HERE])
def test_action_of_a_page_is_a_route_and_a_command(action: str) -> None:
    assert action in {route.name for route in TABLE}
    assert action in ROUTES
    noun, _, verb = action.partition(".")
    is_called = f'"{action}"' in COMMANDS or (f'f"{noun}.{{action}}"' in COMMANDS and f'"{verb}"' in COMMANDS)
    assert is_called or action in NO_COMMAND


def test_exceptions_are_no_more_than_there_are() -> None:
    routes = {route.name for route in TABLE}
    assert set(ONLY_HERE) <= set(ACTIONS)
    assert set(ONLY_HERE).isdisjoint(routes)
    assert set(NO_COMMAND) <= set(ACTIONS)


def test_some_role_may_do_what_a_page_does() -> None:
    granted = frozenset[str]().union(*roles.MEMBERS.values(), *roles.PLATFORM.values())
    assert set(ACTIONS) <= granted


def test_routes_behind_pages_of_an_account_are_open_to_its_sessions() -> None:
    """What a page asks beside its own action: a session that may see the page may ask the route for the same."""
    beside = {"keys.list": ("keys.use",), "budgets.set": ("budgets.rehearse",), "codes.redeem": ("codes.preview",)}
    for granted in roles.MEMBERS.values():
        for action, others in beside.items():
            assert action not in granted or set(others) <= granted
