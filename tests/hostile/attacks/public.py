"""What anybody may ask for without a key, and a key about itself without a limit: as often as the wires carry it."""

import json
import time
from functools import partial
from typing import Final

from tests.hostile.attacks.forms import Form, played
from tests.hostile.harness import Attack, AttackHarness, Observations
from tests.hostile.launcher import AttackedPlatform, Launch, chat
from tests.hostile.wire import at_once, head, opened, send

SECONDS: Final = 2.0
AT_ONCE: Final = 20
PIPELINED: Final = 200
MODELS: Final = 1_000
PATTERNS: Final = 198
KINDS: Final = ("account", "key")
_ZONES: Final = ("Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "UTC", "Europe/Zurich")
_WINDOWS: Final = ("day", "week", "month", "total")
_MODEL: Final = """
[models."zz-{number:04d}-model"]
offers = [{{ provider = "up", model = "m{number}" }}]
context_tokens = 1000
price = {{ input = "1", output = "1" }}
"""


def public(harness: AttackHarness, seen: Observations) -> None:
    platform = harness.platform()
    b = harness.neighbour(platform)
    asked = {
        "health": ("GET", "/healthz"),
        "the index": ("GET", "/v1"),
        "heads": ("HEAD", "/"),
        "preflights": ("OPTIONS", "/v1/chat/completions"),
        "a page": ("GET", "/support"),
        "the status": ("GET", "/status"),
        "the console": ("GET", "/console/"),
        "signing in": ("GET", "/console/sign-in"),
        "its style": ("GET", "/console/static/console.css"),
        "the description of the control API": ("GET", "/api/openapi.json"),
        "the control API without a key": ("GET", "/api/v1/keys"),
        "paths that are none": ("GET", "/v1/" + "%E7%A8%8E" * 1_000),
    }
    forms: list[Form] = [
        (name, partial(_flood, platform, f"{method} {path} HTTP/1.1\r\nhost: h\r\n\r\n".encode()))
        for name, (method, path) in asked.items()
    ]
    played(platform, b, seen, forms)


def lists(harness: AttackHarness, seen: Observations) -> None:
    """A catalogue of a thousand models, and a key whose patterns, limits and budgets are as many as it may have."""
    models = "".join(_MODEL.format(number=number) for number in range(MODELS))
    platform = harness.platform(Launch(more=models))
    b = harness.neighbour(platform)
    a = platform.open_wide(platform.account("a", "1000"))
    patterns = [f"zz-{number:04d}x*" for number in range(PATTERNS)]
    made = platform.manage("POST", "/keys", {"account": a.id, "name": "p", "models": [*patterns, "zz-*", "house-1"]})
    for kind, whose in zip(KINDS, (a.id, made["id"]), strict=True):
        for number in range(20):
            budget = {"window": _WINDOWS[number % 4], "zone": _ZONES[number // 4], "model": f"m{number}*"}
            platform.manage("POST", "/budgets", {kind: whose, "amount_usd": "500", **budget})
        for number in range(25):
            limit = {"model": f"m{number}*", "requests_per_minute": 1_000, "tokens_per_minute": 100_000}
            platform.manage("POST", "/limits", {kind: whose, **limit})
    key = made["secret"]
    body = json.dumps(chat(model="zz-0999-modelx", max_tokens=5)).encode()
    forms: list[Form] = [
        ("its models", partial(_flood, platform, _get(key, "/v1/models"))),
        ("one of its models", partial(_flood, platform, _get(key, "/v1/models/zz-0999-model"))),
        ("a model that is none", partial(_flood, platform, head(key, len(body)) + body)),
        ("itself", partial(_flood, platform, _get(key, "/v1/key"))),
        ("its money", partial(_flood, platform, _get(key, "/v1/dashboard/billing/subscription"))),
        ("its spending", partial(_flood, platform, _get(key, "/v1/dashboard/billing/usage"))),
    ]
    played(platform, b, seen, forms)


def _get(key: str, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {key}\r\n\r\n".encode()


def _flood(platform: AttackedPlatform, request: bytes) -> str:
    """As many of one request as are taken in SECONDS, on AT_ONCE connections."""
    until = time.monotonic() + SECONDS

    def one(_: int) -> int:
        received = 0
        while time.monotonic() < until:
            with opened(platform, 1) as connection:
                while time.monotonic() < until and send(connection, request * PIPELINED):
                    try:
                        received += len(connection.recv(1024 * 1024))
                    except OSError:
                        break
        return received

    return f"{sum(at_once(AT_ONCE, one)) // 1024} KB of answers"


ATTACKS: Final = (
    Attack("PUBLIC", "what needs no key, as often as the wires carry it: B is served at once", public),
    Attack("LISTS", "what a key may ask about itself, of a thousand models and hundreds of limits: likewise", lists),
)
