"""What the checklist says of requests that people got wrong, and whether its cure, followed, makes them pass.

`docs/support.md` shows the table as this test writes it.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from tests.checklist.broken_case import BrokenRequest
from tests.checklist.broken_requests import BROKEN, GOOD
from tests.security.platform_process import DemoPlatform, DemoReply
from tests.tidy.source import ROOT

CONFIG: Final = """
[server]
trusted_proxies = ["127.0.0.1/32"]

[models."gpt-4-0314"]
offers = [{ provider = "main", model = "gpt-4-0314" }]
price = { input = "1", output = "1" }
retires_at = "2024-06-13"
successor = "gpt-4o"

[providers.main]
kind = "simulator"
"""
NAMED_MIN: Final = 76
HEAD: Final = "| what was wrong | seen in | step | what the checklist says | cure |\n|---|---|---|---|---|\n"
DOCS: Final = ROOT / "docs/support.md"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoPlatform]:
    platform = DemoPlatform(tmp_path_factory.mktemp("demo"), CONFIG)
    try:
        yield platform
    finally:
        platform.close()


@pytest.fixture(scope="module")
def secrets(platform: DemoPlatform) -> Mapping[str, str]:
    """Keys that stand in each way, by what broken requests call them."""
    live = platform.key("live")
    made = {name: platform.key(name) for name in ("revoked", "frozen", "slow", "narrow", "spent")}
    platform.operator("keys.revoke", "revoked")
    platform.operator("keys.freeze", "frozen")
    made["expired"] = platform.key("expired", expires="1s")
    made["admin"] = platform.key("admin", mode="admin")
    for name in ("suspended", "poor"):
        platform.operator("accounts.create", name=name)
        made[name] = platform.key(name, account=name)
    platform.operator("accounts.suspend", "suspended")
    platform.operator("limits.set", key="slow", requests_per_minute=1)
    platform.operator("limits.set", key="narrow", tokens_per_minute=1000)
    platform.operator("budgets.set", key="spent", amount_usd="0", window="total")
    assert platform.post("/v1/chat/completions", made["slow"], json.loads(GOOD["body"])).status == 200
    while platform.get("/v1/models", made["expired"]).status == 200:
        pass  # until its second is over
    return {**made, "live": live, "cut": live[:-4], "wide": f"{live[:20]}\u200b{live[20:]}"}


def whole(case: Mapping[str, Any], secrets: Mapping[str, str]) -> dict[str, Any]:
    """A request with all of its parts."""
    parts = {**GOOD, **case}
    if "model" in parts:
        parts["body"] = json.dumps({**json.loads(parts["body"]), "model": parts["model"]})
    for name in ("authorization", "api_key"):
        if name in parts:
            parts[name] = re.sub(r"{(\w+)}", lambda found: secrets[found[1]], parts[name])
    return parts


def send(platform: DemoPlatform, parts: Mapping[str, Any], number: int) -> DemoReply:
    headers = {"Content-Type": parts["kind"], "X-Forwarded-For": f"192.0.2.{number}"}
    carried = f"Bearer {parts['api_key']}" if "api_key" in parts else parts["authorization"]
    headers["Authorization"] = carried.encode().decode("latin-1") if not carried.isascii() else carried
    return platform.ask(parts["method"], parts["path"], headers, parts["body"].encode())


def diagnosis(platform: DemoPlatform, parts: Mapping[str, Any], number: int) -> Any:
    """As somebody pastes it: the address with its method, the headers, the body as text."""
    given: dict[str, Any] = {"error": parts["error"]}
    if not parts["error"]:
        headers = {"Content-Type": parts["kind"]}
        if "api_key" in parts:
            given["api_key"] = parts["api_key"]
        else:
            headers["Authorization"] = parts["authorization"]
        given |= {
            "endpoint": f"{parts['method']} {parts.get('host', '')}{parts['path']}",
            "headers": headers,
            "body": parts["body"],
        }
    headers = {"Content-Type": "application/json", "X-Forwarded-For": f"192.0.2.{number}"}
    reply = platform.ask("POST", "/api/v1/support/diagnose", headers, json.dumps(given).encode())
    assert reply.status == 200, reply.body
    return reply.json


def step_of(found: Any, step: str) -> dict[str, Any]:
    (one,) = [each for each in found["steps"] if each["id"] == step]
    return dict(one)


def is_named(case: BrokenRequest, found: Any) -> bool:
    step = step_of(found, case.step)
    return step["state"] == "red" and case.reason in step["reason"] and case.cure in step["cure"]


def test_causes_are_named_and_cures_work(platform: DemoPlatform, secrets: Mapping[str, str]) -> None:
    assert len(BROKEN) >= 78
    wrong, rows = [], []
    for number, case in enumerate(BROKEN, start=1):
        broken, mended = whole(case.broken, secrets), whole(case.mended, secrets)
        found = diagnosis(platform, broken, number)
        assert not found["ok"], case.name
        refused = send(platform, broken, number) if case.refused == "platform" else None
        assert refused is None or refused.status >= 400, case.name
        code = step_of(found, case.step).get("code")
        agrees = refused is None or refused.code == code
        after = diagnosis(platform, mended, number)
        passes = after["ok"] and send(platform, mended, number).status == 200
        if not (is_named(case, found) and agrees and passes):
            wrong.append((case.name, step_of(found, case.step), None if refused is None else refused.code, after))
        rows.append(row(case, step_of(found, case.step)))
    assert len(BROKEN) - len(wrong) >= NAMED_MIN, "\n".join(map(repr, wrong))
    assert not wrong, "\n".join(map(repr, wrong))
    if os.environ.get("WRITE_TABLE"):
        DOCS.write_text(DOCS.read_text(encoding="utf-8").partition(HEAD)[0] + table(rows), encoding="utf-8")
    assert table(rows) in DOCS.read_text(encoding="utf-8"), "write it anew: WRITE_TABLE=1 and this test"


def row(case: BrokenRequest, step: Mapping[str, Any]) -> str:
    said = (case.name, case.seen, step["id"].replace("_", " "), _words(step["reason"]), _words(step["cure"]))
    return f"| {' | '.join(part.replace('|', chr(92) + '|') for part in said)} |"


def _words(text: str) -> str:
    """Without what differs from run to run."""
    text = re.sub(r"(key|acc|proj)_[0-9a-z]{20,}", r"\1_...", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "...", text)
    return re.sub(r"http://127\.0\.0\.1:\d+", "https://HOST", re.sub(r"\b(?:\d+[hm])*\d+(?:ms|s)\b", "...", text))


def table(rows: list[str]) -> str:
    return HEAD + "\n".join(rows) + "\n"


def test_every_case_is_another() -> None:
    names = [case.name for case in BROKEN]
    assert len(set(names)) == len(names)
