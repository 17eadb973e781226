"""D4, E1, F1, G6: what answers say of strangers, to whom, in which letters, and for which dates."""

import csv
from typing import Final
from urllib.parse import quote

from tests.hostile.harness import Attack, AttackHarness, Observations
from tests.hostile.launcher import AttackedPlatform, AttackReply, chat
from tests.hostile.wire import each

ESCAPE: Final = "\x1b"


def d4(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    a = platform.account("a")
    c = platform.account("c")
    admin = platform.key(a.id, "admin", mode="admin")
    for noun, end in (("keys", "revoke"), ("projects", "archive")):
        answers = []
        for name, taken in (("shared", True), ("lonely", False)):
            made = platform.manage("POST", f"/{noun}", {"name": name, "account": a.id})
            platform.manage("POST", f"/{noun}/{made['id']}/{end}", {})
            if taken:
                platform.manage("POST", f"/{noun}", {"name": name, "account": c.id})
            reply = platform.ask(None, f"/api/v1/{noun}/{name}", key=admin.key, method="GET")
            answers.append((reply.status, _plain(reply, name, str(made["id"]))))
        seen.must(noun, answers[0] == answers[1], [status for status, _ in answers])


def _plain(reply: AttackReply, name: str, own_id: str) -> object:
    """What an answer says apart from what must differ."""
    if reply.status == 200:
        return reply.json["id"] == own_id
    return reply.json["error"]["message"].replace(name, "NAME")


def e1(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    a = platform.account("a", "3")
    far = platform.key(a.id, "far", given={"networks": ["203.0.113.0/24"]})
    mute = platform.key(a.id, "mute", given={"scopes": ["inference"]})
    for path in ("/v1/key", "/v1/models", "/v1/models/house-1", "/api/v1/keys"):
        reply = platform.ask(None, path, key=far.key, method="GET")
        seen.must(f"forbidden network {path}", reply.status == 403, f"{reply.status} {reply.code}"[:60])
    for path in ("/v1/key", "/v1/dashboard/billing/subscription", "/api/v1/usage", "/api/v1/requests"):
        reply = platform.ask(None, path, key=mute.key, method="GET")
        told = reply.status == 200 and b"balance_usd" in reply.body
        seen.must(f"no scope usage {path}", not told, f"{reply.status}{', with the balance' if told else ''}")


INVISIBLE: Final = dict.fromkeys(map(ord, "\u202e\u2028\x9b"), "?")  # JSON may hold these as they are


def f1(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    a = platform.account("a", "3")
    hostile = {
        "esc\x1b[31m": "\x1b]0;title\x07",
        "formula": '=HYPERLINK("http://example.com")',
        "at": "@SUM(1)",
        "bidi": "\u202etxt.exe",
        "line": "a\u2028b\r\nc",
        "secret": a.key,
        "c1": "\x9b31m",
    }
    replies = [platform.ask(chat(metadata={name: value}), key=a.key) for name, value in hostile.items()]
    replies.append(platform.ask(chat(user=f"u {ESCAPE}[2J {a.key}"), key=a.key))
    model = platform.ask(chat(model=f"house{ESCAPE}[2J"), key=a.key)
    seen.note("statuses", [reply.status for reply in (*replies, model)])
    outputs = {
        "usage --by tag --csv": platform.tollhouse("usage", "--by", "tag", "--csv"),
        "usage --by tag": platform.tollhouse("usage", "--by", "tag"),
        "requests list": platform.tollhouse("requests", "list", check=False),
        "requests show": platform.tollhouse("requests", "show", replies[0].headers["x-request-id"]),
        "usage --json": platform.tollhouse("usage", "--by", "tag", "--json"),
        "the log": (platform.folder / "stderr.log").read_bytes(),
    }
    for name, output in outputs.items():
        shown = output if "json" not in name else output.decode().translate(INVISIBLE).encode()
        seen.must(name, not (wrong := _wrong(shown, a.key)), wrong or "clean")
    rows = csv.reader(outputs["usage --by tag --csv"].decode().splitlines())
    cells = [cell for row in rows for cell in row]
    formulas = [cell for cell in cells if cell[:1] in tuple("=+@\t\r")]
    seen.must("formulas in csv", not formulas, formulas or "none")


def _wrong(output: bytes, key: str) -> list[str]:
    text = output.decode()
    raw = [name for name in ("\x1b", "\x07", "\x9b", "\u202e", "\u2028") if name in text]
    return [*map(repr, raw), *(["a key in the clear"] if key in text else [])]


MONTHS: Final = (
    *("9999-12", "0000-01", "0001-01", "10000-01", "-001-01", "2026-13", "2026-00", "99999999999-01", "²⁰²⁶-01"),
    *("1969-12", "9999-11", "2026-1", "", "NaN", "2026-12\x00", "٢٠٢٦-٠١"),
)
DATES: Final = (
    *("9999-12-31", "0000-00-00", "0001-01-01", "99999999999999999999", "-1", "1e400", "NaN", "inf", "2026-02-30"),
    *("9223372036854775808", "253402300800", "-62135596801", "", "[]", "0x10", "９９９９-12-31"),
)
NUMBERS: Final = ("-1", "0", "1e400", "NaN", "9223372036854775808", "99999999999999999999999", "²", "1.5", "", "true")
DATED: Final = (
    *("/v1/dashboard/billing/usage?start_date={}", "/v1/dashboard/billing/usage?end_date={}&start_date={}"),
    *("/dashboard/billing/usage?start_date=2026-01-01&end_date={}", "/api/v1/usage?from={}", "/api/v1/usage?to={}"),
    *("/v1/organization/costs?start_time={}", "/v1/organization/usage/completions?start_time={}&end_time={}"),
)
NUMBERED: Final = (
    *("/api/v1/keys?limit={}", "/api/v1/requests?limit={}", "/api/v1/requests?after={}", "/api/v1/keys?after={}"),
    *("/v1/organization/costs?start_time=1790000000&limit={}", "/v1/models?limit={}", "/api/v1/alerts?limit={}"),
    "/v1/organization/usage/completions?start_time={}&bucket_width=1m",
)


def g6(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    a = platform.account("a", "3")
    admin = platform.key(a.id, "admin", mode="admin")
    platform.ask(chat(), key=a.key)
    paths = [f"/api/v1/ledger/statement?month={_quoted(month)}&account={a.id}" for month in MONTHS]
    paths += [form.replace("{}", _quoted(date)) for form in DATED for date in DATES]
    paths += [form.replace("{}", _quoted(number)) for form in NUMBERED for number in NUMBERS]
    rows = [(path, status) for path in paths for status in _statuses(platform, path, (a.key, admin.key))]
    bodies = each(BODIES, lambda row: (f"{row[0]} {row[1][:60]}", _posted(platform, a.id, *row)))
    wrong = sorted({f"{path} {status}" for path, status in [*rows, *bodies] if status >= 500 or status == 0})
    seen.note("asked", len(rows) + len(bodies))
    seen.must("answers of 500", not wrong, f"{len(wrong)} {wrong[:6]}")


def _posted(platform: AttackedPlatform, account_id: str, path: str, body: str) -> int:
    return platform.managed("POST", path.replace("ID", account_id), body.replace("ID", account_id).encode()).status


def _quoted(text: str) -> str:
    return quote(text, safe="-.")


def _statuses(platform: AttackedPlatform, path: str, keys: tuple[str, ...]) -> list[int]:
    return [platform.ask(None, path, key=key, method="GET").status for key in keys]


BODIES: Final = tuple(
    (path, body)
    for path, form in (
        ("/budgets", '{"account":"ID","window":"day","amount_usd":%s}'),
        ("/budgets", '{"account":"ID","window":"day","amount_usd":"1","soft":[%s]}'),
        ("/limits", '{"account":"ID","requests_per_minute":%s}'),
        ("/limits", '{"account":"ID","requests_per_minute":1,"until":%s}'),
        ("/credits", '{"account":"ID","amount_usd":%s}'),
        ("/credits", '{"account":"ID","amount_usd":"1","expires":%s}'),
        ("/keys", '{"account":"ID","name":"n","expires":%s}'),
        ("/keys", '{"account":"ID","name":%s}'),
        ("/codes", '{"amount_usd":"1","count":%s}'),
        ("/accounts/ID", '{"multiplier":%s}'),
        ("/accounts", '{"name":"n","zone":%s}'),
    )
    for value in (
        *('"1e400"', '"NaN"', '"-0"', "9223372036854775808", "-1", "1e400", "null", "[]", "{}", "true", '"9999-12-31"'),
        *('"999999999999d"', '"0001-01-01"', '"1' + "0" * 400 + '"', '"\\ud800"', '"' + "x" * 100_000 + '"', "[" * 900),
        *('"9999-12-31T23:59:59-23:59"', '"../../etc/passwd"', '"²"', "1" + "0" * 5000),
    )
    for body in [form.replace("%s", value)]
)

ATTACKS: Final = (
    Attack("D4", "what another account has changes no answer", d4, timed=False),
    Attack("E1", "one gate for all routes: network and scope", e1, timed=False),
    Attack("F1", "what a caller wrote is shown escaped, and no key in the clear", f1, timed=False),
    Attack("G6", "no date and no number of the control API ends in a 500", g6, timed=False),
)
