"""What calls may go through next: asked alone or in rows, answered, broken off, left."""

from typing import Any, Final

from tests.money import operations, traffic
from tests.money.checker import Checker, Key, Live
from tests.money.choice import Choose, pick, plain_hold
from tests.money.fakes import Mood
from tests.money.products import SHOP

MOST: Final = 472_500  # nano-USD, near what a plain call holds


def asks(checker: Checker, choose: Choose) -> None:
    """Mostly calls that are all alike, so that money fits them to the last nano-dollar."""
    plain = choose(5) < 3
    traffic.ask(
        checker,
        pick(choose, checker.keys),
        "plain" if plain else pick(choose, ("stepped", "uneven", *SHOP)),
        stream=bool(choose(2)),
        words=1 if plain else pick(choose, (1, 36, 7, 60)),
        cap=traffic.PLAIN_CAP if plain else pick(choose, (12, 1, 40, None)),
        answers=1 if plain or choose(4) < 3 else 2,
        most=MOST if not plain and choose(8) == 7 else None,
        gone=choose(20) == 19,
    )


def many_ask(checker: Checker, choose: Choose) -> None:
    """Calls that are all alike, one after the other, so that money runs out among them."""
    key, stream = pick(choose, checker.keys), choose(4) == 3
    for _ in range(2 + choose(6)):
        ask_plainly(checker, key, stream)


def money_fits(checker: Checker, choose: Choose) -> None:
    """A budget that pays for so many calls to the last nano-dollar, or for one less, and one call more than that."""
    key, many = pick(choose, checker.keys), 1 + choose(3)
    operations.set_budget(checker, max(0, many * plain_hold(checker) - choose(2)), window="total", key=key.id)
    for _ in range(many + 1):
        ask_plainly(checker, key)


def answers(checker: Checker, choose: Choose) -> None:
    live = pick(choose, buffered(checker))
    reported, raw = _report(live, choose)
    traffic.answers_whole(checker, live, reported, raw, pick(choose, (2, 0, 9, _too_many(live))))


def speaks(checker: Checker, choose: Choose) -> None:
    traffic.speaks(checker, pick(choose, silent(checker)))


def says(checker: Checker, choose: Choose) -> None:
    live = pick(choose, speaking(checker))
    traffic.says(checker, live, _too_many(live) if choose(6) == 5 else 1 + choose(3))


def finishes(checker: Checker, choose: Choose) -> None:
    traffic.finishes(checker, pick(choose, speaking(checker)))


def reports(checker: Checker, choose: Choose) -> None:
    live = pick(choose, finishing(checker))
    reported, raw = _report(live, choose)
    traffic.reports(checker, live, reported, raw or {"prompt_tokens": 1, "completion_tokens": -1})


def ends_stream(checker: Checker, choose: Choose) -> None:
    traffic.ends_stream(checker, pick(choose, finishing(checker)), properly=choose(4) < 3)


def fails(checker: Checker, choose: Choose) -> None:
    live = pick(choose, checker.live)
    if live.speaking:
        how = pick(choose, ("hangs up",) if live.finishing else ("hangs up", "closes"))
    else:
        how = pick(choose, ("hangs up", "status", "nonsense"))
    traffic.fails(checker, live, how)


def leaves(checker: Checker, choose: Choose) -> None:
    traffic.leaves(checker, pick(choose, [live for live in checker.live if not live.client.gone]))


def answer_is_lost(checker: Checker, choose: Choose) -> None:
    """The database commits, and breaks before it can say so."""
    _end_one(checker, choose, "answer lost")


def one_commit_fails(checker: Checker, choose: Choose) -> None:
    _end_one(checker, choose, "fails once")


def _end_one(checker: Checker, choose: Choose, mood: Mood) -> None:
    traffic.goes_bad(checker, mood)
    live = pick(choose, finishing(checker) or buffered(checker))
    if live.finishing:
        traffic.ends_stream(checker, live, properly=True)
    else:
        traffic.answers_whole(checker, live, {"input": 3, "output": 2}, None, 2)
    traffic.goes_bad(checker, "well")


def _too_many(live: Live) -> int:
    """Words beyond what may pass, where that are not thousands."""
    allowed = live.call.allowed
    return 3 if allowed is None or allowed > 200 else allowed + 1 - min(live.words, allowed)


def ask_plainly(checker: Checker, key: Key, stream: bool = False) -> None:
    traffic.ask(checker, key, "plain", stream=stream, words=1, cap=traffic.PLAIN_CAP, answers=1, most=None, gone=False)


def buffered(checker: Checker) -> list[Live]:
    return [live for live in checker.live if not live.call.stream]


def silent(checker: Checker) -> list[Live]:
    return [live for live in checker.live if live.call.stream and not live.speaking]


def speaking(checker: Checker) -> list[Live]:
    return [live for live in checker.live if live.speaking and not live.finishing]


def finishing(checker: Checker) -> list[Live]:
    return [live for live in checker.live if live.finishing]


def _report(live: Live, choose: Choose) -> tuple[dict[str, int] | None, dict[str, Any] | None]:
    """Usage within the bounds, at them, beyond what was held, impossible, unbelievable, or none."""
    cap = live.call.cap or 1024
    kind = 7 if "tiers" in (live.call.prices or {}) and choose(2) else choose(9)
    if kind == 0:
        return {"input": 3 + choose(20), "output": 1 + choose(cap)}, None
    if kind == 7:
        return {"input": 39 + choose(3), "output": 1}, None  # a tier begins after 40
    if kind == 1:
        cached = choose(30)
        thought = choose(cap)
        return {"input": choose(30), "cache_read": cached, "output": cap - thought, "reasoning": thought}, None
    if kind == 2:
        return {"input": live.call.body_bytes, "output": cap * live.call.answers}, None
    if kind in (3, 8):
        return {"input": 50, "output": cap * live.call.answers + 1 + choose(900)}, None
    if kind == 4:
        return {"input": 200_000, "output": 1}, None
    return None, None if kind == 5 else {"prompt_tokens": 5, "completion_tokens": -3}
