"""The page of the control API tells every operation with what it takes and gives."""

from typing import Any

import msgspec

from tests.admin.harness import AdminHarness
from tests.console.harness import Browser, Outline
from tollhouse.console import Console, ConsoleContext
from tollhouse.console.api_reference import operations
from tollhouse.edge.admin.table import TABLE, described
from tollhouse.settings import Settings

DOCUMENT: dict[str, Any] = msgspec.to_builtins(described("0"))


def test_every_route_is_told() -> None:
    told = {(one.method, one.path) for found in operations(DOCUMENT).values() for one in found}
    assert told == {(route.method, route.path) for route in TABLE}


def test_fields_are_told_with_kind_and_default() -> None:
    (create,) = [one for one in operations(DOCUMENT)["keys"] if one.name == "keys.create"]
    fields = {one.name: (one.kind, one.required, one.default) for one in create.takes}
    assert fields["name"] == ("string", True, "")
    assert fields["mode"] == ("admin | live | test", False, "live")
    assert fields["models"] == ("list of string", False, "")
    assert "secret" in {one.name for one in create.gives}
    (listed,) = [one for one in operations(DOCUMENT)["keys"] if one.name == "keys.list"]
    assert {one.name for one in listed.takes} >= {"account", "limit", "after"}
    assert {one.name: one.kind for one in listed.gives}["data"] == "list of Key"


def test_page_is_sound_and_for_everybody(admin: AdminHarness) -> None:
    browser = Browser(admin)
    browser.console = Console(
        ConsoleContext(
            services=admin.services,
            settings=Settings(),
            address_of=lambda scope: "192.0.2.1",
            api_document=lambda: DOCUMENT,
        )
    )
    html = browser.get("/docs/api").html
    Outline(html)
    assert html.count("<details id=") == len(TABLE)
