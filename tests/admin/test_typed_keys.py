"""A key that somebody pastes where a name, a note or any other text is typed: refused, kept and repeated nowhere.

The table is the control API's own: each text of each thing that can be changed. The command line goes the same way.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from tests.admin.harness import AdminHarness, at_work
from tests.settings.test_platform_file import read_text
from tollhouse.access.secrets import mint
from tollhouse.edge.admin.table import TABLE

OURS = mint("live", bytes(range(32)))
DEEPSEEKS = "sk-" + "0a1b2c3d" * 4
OPENAIS = "sk-proj-" + "aB3dE5gH7jK9mN2pQ4sT" * 4
KEYS = {"ours": OURS, "another's": DEEPSEEKS, "OpenAI's": OPENAIS}

WHOLE: dict[str, dict[str, Any]] = {
    "accounts.create": {"name": "x"},
    "accounts.set": {},
    "accounts.zone": {},
    "accounts.suspend": {},
    "accounts.resume": {},
    "projects.create": {"name": "x", "account": "alpha"},
    "keys.create": {"name": "x", "account": "alpha"},
    "keys.rotate": {},
    "keys.revoke": {},
    "keys.freeze": {},
    "keys.unfreeze": {},
    "credits.grant": {"account": "alpha", "amount_usd": "1"},
    "credits.refund": {"request_id": "req_x"},
    "credits.adjust": {"account": "alpha", "amount_usd": "1", "reason": "x"},
    "codes.create": {"amount_usd": "1"},
    "codes.preview": {"code": "TH-1", "account": "alpha"},
    "codes.redeem": {"code": "TH-1", "account": "alpha"},
    "budgets.set": {"amount_usd": "1", "window": "day", "account": "alpha"},
    "alerts.test": {},
    "alerts.confirm": {"token": "x"},
    "limits.set": {"requests_per_minute": 1, "account": "alpha"},
    "providers.check": {},
    "providers.drain": {},
    "price_drafts.activate": {},
    "people.invite": {"email": "a@b.example", "account": "alpha"},
    "people.set": {},
    "announcements.open": {"title": "x", "text": "x"},
    "announcements.write": {},
    "announcements.close": {},
    "tickets.create": {"subject": "x", "text": "x", "account": "alpha"},
    "tickets.reply": {},
    "tickets.refund": {},
    "tickets.limit": {"kind": "requests_per_minute", "most": 1, "until": "1d"},
    "tickets.rotate": {},
    "tickets.freeze": {},
}
"""By route: what is asked beside the text, so that nothing but the text is in the way."""

KEPT = frozenset(
    {
        *(f"accounts.create {name}" for name in ("name", "email")),
        *(f"accounts.set {name}" for name in ("groups", "email")),
        *(f"accounts.{transaction} reason" for transaction in ("suspend", "resume")),
        "projects.create name",
        "people.invite email",
        *(f"keys.create {name}" for name in ("name", "models", "tags")),
        *(f"keys.{transaction} reason" for transaction in ("revoke", "freeze", "unfreeze")),
        *(f"credits.{transaction} reason" for transaction in ("grant", "adjust")),
        "codes.create note",
        "providers.drain reason",
        *(f"budgets.set {name}" for name in ("model", "mail", "webhook")),
        *(f"alerts.test {name}" for name in ("webhook", "mail")),
        *(f"limits.set {name}" for name in ("model", "note")),
        *(
            "announcements.open title",
            "announcements.open text",
            "announcements.write text",
            "announcements.close text",
        ),
        *(f"tickets.create {name}" for name in ("subject", "text", "content")),
        "tickets.reply text",
    }
)
"""Texts that are kept as they come; every other one names what there is already, or is an amount or a time."""

ELSEWHERE = {"explain": "keeps nothing", "price_drafts.import": "its list: below", "platform.plan": "a file"}


def texts() -> Iterator[tuple[str, str, str]]:
    """Route, path and name of each text that the control API takes for a change."""
    for route in TABLE:
        if route.method == "GET" or route.name in ELSEWHERE:
            continue
        for name, kind in get_type_hints(route.takes).items():
            if "str" in str(kind) and "Literal" not in str(kind):
                yield route.name, route.path, name


def formed(name: str, key: str) -> object:
    if name == "tags":
        return {key[:90]: "x"}
    if name in ("email", "mail"):
        return f"{key[:60]}@mail.example"
    if name == "webhook":
        return f"https://hooks.example/in?key={key}"
    return [key] if name in ("groups", "models", "networks", "scopes") else key


def in_files(folder: Path, key: str) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file() and key[8:40].encode() in path.read_bytes()]


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminHarness]:
    with at_work(tmp_path_factory.mktemp("typed")) as admin_harness:
        yield admin_harness


@pytest.mark.parametrize("whose", KEYS)
@pytest.mark.parametrize(("route", "path", "name"), [pytest.param(*one, id=f"{one[0]} {one[2]}") for one in texts()])
def test_a_key_is_refused_wherever_text_is_typed(
    working: AdminHarness, route: str, path: str, name: str, whose: str
) -> None:
    key = KEYS[whose]
    thing = path.split("/")[3]
    ids = {"accounts": working.accounts["alpha"], "keys": working.keys["alpha-live"]}
    given = {**WHOLE[route], name: formed(name, key)}
    if name in ("project", "key") and route != "keys.create":
        given.pop("account", None)
    reply = working.operator("POST", path.replace("{id}", ids.get(thing, "none_x")), given)
    assert 400 <= reply.status < 500, reply.body
    assert key[8:40] not in str(reply.body)
    if f"{route} {name}" in KEPT and not (name in ("email", "mail") and whose == "OpenAI's"):
        assert reply.body["error"]["param"] == name
        cure = "rotate it: tollhouse keys rotate" if whose == "ours" else "replace it there"
        assert cure in reply.message, reply.message
    assert in_files(working.folder, key) == []


def test_every_text_that_is_kept_is_one_that_the_api_takes() -> None:
    assert {f"{route} {name}" for route, _, name in texts()} >= KEPT
    assert {route for route, _, _ in texts()} == {*WHOLE}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_is_no_name_of_a_price_list_or_of_a_model_in_one(working: AdminHarness, key: str) -> None:
    reply = working.operator("POST", f"/api/v1/price_drafts?list={key[:64]}", b"model,input\nx,1\n")
    assert (reply.status, reply.body["error"]["param"], key[8:40] in reply.message) == (400, "list", False)
    assert "stands in it" in reply.message
    for data in (f"model,input\n{key},1\n", f'{{"{key}": {{"input": "1"}}}}', f"model,{key}\nx,1\n"):
        reply = working.operator("POST", "/api/v1/price_drafts", data.encode())
        assert (reply.status, key[8:40] in reply.message) == (400, False)
    assert in_files(working.folder, key) == []


@pytest.mark.parametrize(
    "address",
    [
        *(
            "https://h.example/KEY",
            "https://h.example/in?key=KEY",
            "https://KEY@h.example/",
            "https://u:KEY@h.example/x",
        ),
        *("https://h.example/in#KEY", "http://KEY.example/", "slack://T0/B0/KEY", "https://h.example/%20KEY"),
    ],
)
def test_a_key_in_the_address_of_a_webhook(working: AdminHarness, address: str) -> None:
    for key in (OURS, OPENAIS, OURS.replace("-", "%2D")):
        webhook = address.replace("KEY", key)
        given = {"amount_usd": "1", "window": "day", "account": "alpha", "webhook": webhook}
        reply = working.operator("POST", "/api/v1/budgets", given)
        assert (reply.status, reply.body["error"]["param"], "stands in it" in reply.message) == (400, "webhook", True)


def test_a_receivers_own_token_in_its_address_is_none_of_ours(working: AdminHarness) -> None:
    for token in ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "a1b2c3d4" * 8, "xoxb-1234567890-abcdefghij"):
        given = {"amount_usd": "1", "window": "day", "account": "alpha", "webhook": f"https://h.example/in?t={token}"}
        reply = working.operator("POST", "/api/v1/budgets", given)
        assert "stands in it" not in str(reply.body)


IN_THE_FILE = (
    '[platform]\nname = "@"',
    '[support]\nname = "@"',
    '[providers."@"]\nkind = "simulator"',
    '[providers.up]\nkind = "@"',
    '[providers.up]\nkind = "openai_compatible"\nbase_url = "https://h.example/@"',
    '[providers.up]\nkind = "simulator"\n[providers.up.headers]\n"@" = "x"',
    '[providers.up]\nkind = "simulator"\ncost = { "@" = { input = "1" } }',
    '[models."@"]\nfree = true\noffers = []',
    '[models.x]\nfree = true\noffers = []\naliases = ["@"]',
    '[models.x]\nfree = true\noffers = []\nsuccessor = "@"',
    '[models.x]\nfree = true\noffers = []\nowned_by = "@"',
    '[models.x]\nfree = true\noffers = []\ngroups = ["@"]',
    '[models.x]\nfree = true\noffers = [{ provider = "@", model = "x" }]',
    '[models.x]\nfree = true\noffers = [{ provider = "up", model = "@" }]',
    '[models.x]\noffers = []\nprice = { "@" = "1" }',
    '[models.x]\noffers = []\nprice = { input = "@" }',
    '[plans."@"]\ncredit_limit_usd = "0"',
    '[plans.x]\ngroups = ["@"]',
    '["@"]\nx = 1',
    '[server]\n"@" = 1',
    '[server]\nlisten = "@"',
    '[mail]\nfrom = "@"',
)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("text", IN_THE_FILE)
def test_a_key_is_no_name_and_no_text_of_platform_toml(text: str, key: str) -> None:
    told = [str(mistake) for mistake in read_text(text.replace("@", key)).mistakes]
    assert any("stands in it" in words and " (line " in words for words in told), told
    assert not any(key[8:40] in words for words in told)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_where_secrets_belong_they_stand(key: str) -> None:
    text = f"""
[providers.up]
kind = "openai_compatible"
base_url = "https://h.example/v1"
api_keys = ["{key}"]
headers = {{ x-api-key = "{key}" }}
proxy = "http://u:{key}@h.example:3128"
"""
    assert not [str(mistake) for mistake in read_text(text).mistakes]
