"""D1 and the walk of hostile callers: what A provokes at a provider takes no model from B."""

from collections import Counter
from typing import Any, Final

from tests.hostile.attacks.bodies import attacked
from tests.hostile.harness import BEFORE_SECONDS, Attack, AttackHarness, Observations
from tests.hostile.launcher import AttackedPlatform, AttackReply, Launch, chat
from tests.hostile.wire import each

REFUSALS: Final = (
    *("status=429&retry_after=300", "status=429", "status=401", "status=402", "status=403", "status=403&shape=html"),
    *("status=503&retry_after=600", "status=503", "status=500", "status=529", "status=408", "reset=1", "broken=1"),
)
STATUSES: Final = (
    *(301, 400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 413, 415, 418, 421, 422, 425, 426, 429, 431, 451, 499),
    *(500, 501, 502, 503, 504, 520, 529, 599),
)
SHAPES: Final = ("json", "list", "nested", "html", "sse", "empty", "truncated", "huge", "text", "array", "null", "deep")
KINDS: Final = ("chat", "chat streamed", "responses", "responses streamed", "completions", "embeddings")
TWO_OFFERS: Final = """
[providers.standby]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"
speaks = ["openai_chat", "openai_responses"]

[models."house-2"]
offers = [{ provider = "up", model = "up-2" }, { provider = "standby", model = "standby-2", priority = 1 }]
context_tokens = 128000
max_output_tokens = 16384
price = { input = "2.50", output = "10.00" }
"""


def d1(harness: AttackHarness, seen: Observations) -> None:
    models = "".join(_model(number) for number in range(len(REFUSALS)))
    platform = harness.platform(Launch(more=models))
    a = platform.open_wide(platform.account("a", "10"))
    b = platform.neighbour_account()
    for number, words in enumerate(REFUSALS):
        model = f"m{number}"
        met = [platform.ask(chat(f"[[{words}]]", model), key=a.key).status for _ in range(7)]
        found = [platform.ask(chat(model=model), key=b.key).status for _ in range(5)]
        seen.must(f"A: {words}", set(found) == {200}, f"A {_counted(met)}, B {_counted(found)}")


def _model(number: int) -> str:
    """A model with a provider of its own."""
    return f"""
[providers.p{number}]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{{port}}/v1"

[models.m{number}]
offers = [{{ provider = "p{number}", model = "m" }}]
context_tokens = 128000
price = {{ input = "2.50", output = "10.00" }}
"""


def _counted(statuses: list[int]) -> str:
    return " ".join(f"{status}x{count}" for status, count in Counter(statuses).items())


def asked(platform: AttackedPlatform, key: str, kind: str, model: str, words: str) -> AttackReply:
    streamed = {"stream": True} if "streamed" in kind else {}
    rows: dict[str, tuple[str, dict[str, Any]]] = {
        "chat": ("chat/completions", chat(words, model, max_tokens=5)),
        "responses": ("responses", {"model": model, "input": words, "max_output_tokens": 16}),
        "completions": ("completions", {"model": model, "prompt": words, "max_tokens": 5}),
        "embeddings": ("embeddings", {"model": model, "input": words}),
    }
    path, body = rows[kind.partition(" ")[0]]
    return platform.ask({**body, **streamed}, f"/v1/{path}", key=key, seconds=30)


def _walk(harness: AttackHarness, seen: Observations, model: str) -> None:
    platform = harness.platform(Launch(more=TWO_OFFERS))
    b = harness.neighbour(platform, model=model)
    a = platform.open_wide(platform.account("a", "1000"))
    before = b.for_seconds(BEFORE_SECONDS)
    begin = attacked(platform, b)
    steps = [(kind, status, shape) for status in STATUSES for shape in SHAPES for kind in KINDS]

    def step(row: tuple[str, int, str]) -> tuple[tuple[str, int, str], AttackReply]:
        kind, status, shape = row
        return row, asked(platform, a.key, kind, model, f"[[status={status}&shape={shape}]]")

    rows = each(steps, step, width=4)
    seen.note("steps", len(rows))
    seen.note("A met", _counted([reply.status for _, reply in rows]))
    seen.beside(before, b.since(begin), growth=4)
    wrong = [f"{row}: {reply.status}" for row, reply in rows if reply.status in (0, 500) or not _clear(reply)]
    seen.must("each of A's answers is a clear error", not wrong, f"{len(wrong)} {wrong[:5]}")


def _clear(reply: AttackReply) -> bool:
    """An error as the dialect has it: an object with a message, that tells nothing of the provider's address."""
    try:
        message = reply.json["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return False
    return bool(message) and "127.0.0.1" not in message


def walk_1(harness: AttackHarness, seen: Observations) -> None:
    _walk(harness, seen, "house-1")


def walk_2(harness: AttackHarness, seen: Observations) -> None:
    _walk(harness, seen, "house-2")


ATTACKS: Final = (
    Attack("D1", "what A met at a provider closes it to A alone", d1, timed=False),
    Attack("WALK1", "each status x body shape x endpoint by A, one offer: B is served all the time", walk_1),
    Attack("WALK2", "the same with two offers", walk_2),
)
