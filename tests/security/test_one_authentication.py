"""Every route of the LLM API, the billing pages and the control API x every restriction of a key: the right verdict.

The routes come from the tables that the dispatchers read, and the expected verdict from what a route's row says it
needs: a new route is walked by standing in a table.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import tollhouse
from tests.security import endpoints
from tests.security.endpoints import EndpointCase
from tests.security.platform_process import JSON, DemoPlatform, DemoReply, bearer
from tests.security.test_same_verdict import (
    Restrict,
    _admin,
    _archived,
    _expired,
    _frozen,
    _networks,
    _never_made,
    _revoked,
    _rotated_away,
    _suspended,
    _without_inference,
)
from tollhouse.access.judge import CALL, Requirement
from tollhouse.edge import paths
from tollhouse.edge.admin.table import TABLE
from tollhouse.edge.router import BOOKS, LOOKUPS, PUBLIC

JUDGES = {
    *("edge/router.py", "edge/admin/callers.py", "gateway/authenticate.py", "gateway/explain.py"),
    "services/diagnosis.py",
}
"""Who may ask for a verdict: the dispatchers, the first stage of a call, the explanation of one, and the checklist."""


class AuthenticatedCall(NamedTuple):
    endpoint: EndpointCase
    needs: Requirement


def routes() -> Iterator[AuthenticatedCall]:
    for endpoint in [*endpoints.calls(), *endpoints.lookups(), *endpoints.organization()]:
        found = paths.find(endpoint.path)
        assert found is not None
        assert found.needs is not None, f"{endpoint.name} is public: name it in endpoints.PUBLIC"
        yield AuthenticatedCall(endpoint, found.needs)
    for route in TABLE:
        if "public" not in route.who:
            body = None if route.method == "GET" else b"{}"
            yield AuthenticatedCall(
                EndpointCase(route.method, route.path.replace("{id}", "nothing"), body), route.needs
            )


def _without_usage(platform: DemoPlatform, name: str) -> str:
    return platform.key(name, scopes=["inference"])


def _test(platform: DemoPlatform, name: str) -> str:
    return platform.key(name, mode="test")


def _frozen_elsewhere(platform: DemoPlatform, name: str) -> str:
    secret = platform.key(name, networks=["10.99.0.0/16"])
    platform.operator("keys.freeze", name)
    return secret


KEYS: dict[str, tuple[Restrict, str]] = {
    "unknown": (_never_made, "invalid_api_key"),
    "revoked": (_revoked, "invalid_api_key"),
    "rotated": (_rotated_away, "invalid_api_key"),
    "expired": (_expired, "invalid_api_key"),
    "frozen": (_frozen, "key_frozen"),
    "suspended": (_suspended, "account_suspended"),
    "archived": (_archived, "key_frozen"),
    "network": (_networks, "ip_not_allowed"),
    "frozen elsewhere": (_frozen_elsewhere, "key_frozen"),
    "without inference": (_without_inference, "inference"),
    "without usage": (_without_usage, "usage"),
    "admin": (_admin, "admin"),
    "live": (DemoPlatform.key, "live"),
    "test": (_test, "test"),
}
"""Each kind of key, with the code that it gets where nothing is said below, its mode, or the scope it lacks."""


def expected(kind: str, needs: Requirement) -> str | None:
    """The code of the refusal; None: the gate lets the key in."""
    restriction = KEYS[kind][1]
    if restriction == "invalid_api_key":
        return restriction
    if kind in ("frozen", "suspended", "archived", "frozen elsewhere") and not needs.stopped_too:
        return restriction
    if kind in ("network", "frozen elsewhere"):
        return "ip_not_allowed"
    mode = restriction if restriction in ("admin", "test") else "live"
    lacks = restriction if restriction in ("inference", "usage") else None
    if mode not in needs.modes or (lacks is not None and lacks == needs.scope):
        return "scope_missing"
    return None


REFUSALS = {"invalid_api_key", "key_frozen", "account_suspended", "ip_not_allowed", "scope_missing"}


def _ask(platform: DemoPlatform, endpoint: EndpointCase, key: str) -> DemoReply:
    return platform.ask(
        endpoint.method, endpoint.path, {**bearer(key), **(JSON if endpoint.body is not None else {})}, endpoint.body
    )


@pytest.mark.parametrize("kind", KEYS)
def test_every_route_gives_every_kind_of_key_the_verdict_of_its_row(platform: DemoPlatform, kind: str) -> None:
    key = KEYS[kind][0](platform, f"gate-{kind.replace(' ', '-')}")
    visited = 0
    for endpoint, needs in routes():
        reply = _ask(platform, endpoint, key)
        wanted = expected(kind, needs)
        if wanted is None:
            assert reply.status < 500, endpoint.name
            assert reply.verdict[1] not in REFUSALS, (endpoint.name, reply.verdict)
        else:
            verdict = (401, wanted) if wanted == "invalid_api_key" else endpoint.not_permitted(wanted)
            assert reply.verdict == verdict, (endpoint.name, reply.body)
        visited += 1
    assert visited > 70


def test_every_endpoint_has_one_handler_and_every_call_the_requirement_that_its_first_stage_judges_by() -> None:
    assert not BOOKS.keys() & LOOKUPS.keys() | BOOKS.keys() & PUBLIC.keys()
    for found in paths.ENDPOINTS.values():
        if found.operation is not None:
            assert found.needs is CALL
        else:
            assert found.name in (PUBLIC if found.needs is None else {**BOOKS, **LOOKUPS})


def test_no_handler_judges_by_itself() -> None:
    """Only the dispatchers may look at a credential or ask for a verdict on one."""
    package = Path(tollhouse.__file__).parent
    asking = set()
    for path in package.rglob("*.py"):
        name = path.relative_to(package).as_posix()
        if name.startswith("access/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "tollhouse.access.judge":
                if {one.name for one in node.names} & {"judge", "permit", "recognise", "present_and_judge"}:
                    asking.add(name)
            elif isinstance(node, ast.Attribute) and node.attr in ("present_and_judge", "permit"):
                asking.add(name)
    assert asking == JUDGES
