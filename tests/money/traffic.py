"""What calls go through: asked, answered in every way, left, given up. Each thing is done to the house and the model.

What an ending costs is said here once more, by the table of docs/money.md.
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.gateway.fakes import FakeClient
from tests.gateway.stage import DONE, ROLE, STREAMS, answer, event, word
from tests.money import tariff
from tests.money.books import Call
from tests.money.premises import DRAIN_SECONDS_MAX, REHEARSED_USAGE
from tests.money.puppets import Attempt, Mood, Stall, mark
from tests.money.world import Key, Live, World
from tollhouse.core.amount import format_usd
from tollhouse.core.failure import Failure, UpstreamBroke
from tollhouse.core.wire import Headers
from tollhouse.gateway.client import Call as Asked
from tollhouse.gateway.client import ClientLeft

JSON: Headers = [(b"content-type", b"application/json")]
USAGE_MS = 2_000
Usage = dict[str, int]


def ask(
    world: World,
    key: Key,
    model: str,
    *,
    stream: bool,
    words: int,
    cap: int | None,
    answers: int,
    most: int | None,
    gone: bool,
) -> None:
    """One more call. most: what it may cost by its own word. gone: its caller leaves before the body is there."""
    word_of_it = mark(len(world.over) + len(world.live) + len(world.stalled) + len(world.late))
    goods = world.goods[model]
    body = _body(model, f"{word_of_it}{' w' * words}", stream, cap, answers)
    client = FakeClient(body)
    client.leaves_before_body = gone
    headers: Headers = [] if most is None else [(b"x-tollhouse-max-cost-usd", format_usd(most).encode())]
    asked = world.premises.call(client, key.secret, headers)
    call = Call(
        id=asked.id,
        account=key.account,
        project=key.project,
        key=key.id,
        mode=key.mode,
        model="" if gone else model,
        time_ms=asked.time_ms,
        stream=stream and not gone,
        body_bytes=len(body),
        prompt_words=4 + words,
        cap=cap,
        answers=answers,
        most=most,
        free=goods.free,
    )
    verdict = "gone"
    if not gone:
        known = world.premises.vault.trouble is not None
        verdict = "overloaded" if known else world.books.admit(call, context=goods.context, longest=goods.longest)
    told: list[str] = []
    task = world.loop.create_task(_serve(world, asked, told))
    live = Live(call, client, word_of_it, list(goods.offers), task)
    world.settle_down()
    sent = world.premises.provider.attempts.get(word_of_it)
    if verdict == "let in" and key.mode == "test":
        live.whole = True
        _over(world, live, "finished", {**REHEARSED_USAGE, "requests": 1})
        return
    assert (sent is not None) == (verdict == "let in"), f"the model says {verdict}, the house {told or 'let in'}"
    if sent is None:
        assert verdict == "gone" or told == [verdict] or world.stall, (verdict, told)
        world.seen[verdict] += 1
        _over(world, live, "client_left_before_dispatch" if gone else "refused", None)
        return
    cap_sent = json.loads(sent.asked.body).get("max_tokens")
    assert cap_sent == (cap if cap is not None else call.added_cap), "another output cap was sent"
    world.live.append(live)


async def _serve(world: World, asked: Asked, told: list[str]) -> None:
    try:
        await world.premises.serve(asked)
    except (Failure, ClientLeft) as ended:
        told.append(ended.code if isinstance(ended, Failure) else "gone")


def answers_whole(world: World, live: Live, reported: Usage | None, raw: dict[str, Any] | None, words: int) -> None:
    """A buffered answer. reported None: `raw`, if anything, is no usage that can be believed."""
    attempt = _attempt(world, live)
    attempt.open(200, JSON)
    attempt.give(answer("w " * words, usage=raw if reported is None else _as_openai(reported)), b"")
    live.words, live.reported = words, reported
    world.settle_down()
    left, allowed = live.client.gone, live.call.allowed
    out = None if reported is None else reported.get("output", 0) + reported.get("reasoning", 0)
    doubtful = out is None or _beyond(live) or (allowed is not None and out > allowed)
    is_cut = allowed is not None and doubtful and words > allowed
    live.whole = not left
    used = _cut(world, live) if is_cut else _metered(world, live)
    ending = "incomplete" if is_cut else "finished"
    _over(world, live, "client_left_before_first_byte" if left else ending, used)


def speaks(world: World, live: Live) -> None:
    """The head of a stream, and whose turn it is."""
    _attempt(world, live).open(200, STREAMS)
    _attempt(world, live).give(ROLE)
    live.speaking = True
    world.settle_down()


def says(world: World, live: Live, words: int) -> None:
    _goes_on(world, live, [word("w ")] * words)
    live.words += words
    if live.call.allowed is not None and live.words > live.call.allowed:
        left = live.client.gone
        live.whole = not left
        _over(world, live, _left_when(live) if left else "incomplete", _cut(world, live))


def finishes(world: World, live: Live) -> None:
    ended = [{"index": index, "delta": {}, "finish_reason": "stop"} for index in range(live.call.answers)]
    _goes_on(world, live, [event(choices=ended)])
    live.finishing = True


def reports(world: World, live: Live, reported: Usage | None, raw: dict[str, Any]) -> None:
    """After the finish reason. reported None: `raw` is not to be believed."""
    _attempt(world, live).give(event(choices=[], usage=raw if reported is None else _as_openai(reported)))
    live.reported = reported
    world.settle_down()


def ends_stream(world: World, live: Live, *, properly: bool) -> None:
    """By `[DONE]` and the end of the body, or by that alone: after a finish reason both are an end."""
    _attempt(world, live).give(*([DONE] if properly else []), b"")
    world.settle_down()
    left = live.client.gone
    live.whole = not left
    _over(world, live, _left_when(live) if left else "finished", _metered(world, live))


def fails(world: World, live: Live, how: str) -> None:
    """The provider fails: before its head by a status or by hanging up, after it by hanging up or closing too early."""
    attempt = _attempt(world, live)
    if how == "status":
        attempt.open(500, JSON)
        attempt.give(b'{"error":{"message":"no"}}', b"")
    elif how == "nonsense":
        attempt.open(200, JSON)
        attempt.give(b"<html>", b"")
    else:
        attempt.give(b"" if how == "closes" else UpstreamBroke("the provider hung up"))
    world.settle_down()
    relayed = live.words or live.finishing
    if live.heard or (relayed and live.client.gone):
        ending = _left_when(live) if live.client.gone else "failed_after_first_byte"
        _over(world, live, ending, _counted(live, live.words))
        return
    if len(live.offers) > 1 and not live.client.gone and not relayed:
        live.offers.pop(0)
        live.speaking = False
        assert _attempt(world, live) is not attempt, "the next offer was not tried"
        world.seen["tried elsewhere"] += 1
        return
    _over(world, live, "failed_before_first_byte", None)


def leaves(world: World, live: Live) -> None:
    """The caller hangs up. A stream is given up at once where its provider is to be aborted, unless it has its finish
    reason; everything else is waited for."""
    live.waits_since_ms = world.clock.elapsed_ms
    world.run(_leave(live))
    if live.call.stream and live.offers[0] == "abort" and not live.finishing:
        _given_up(world, live)


async def _leave(live: Live) -> None:
    live.client.leave()


def time_passes(world: World, milliseconds: int) -> None:
    """At least a second: timers end, and what could not be written is tried again."""
    world.clock.elapsed_ms += milliseconds
    world.clock.wall_ms += milliseconds
    world.latest_ms = max(world.latest_ms, world.now_ms)
    world.settle_down()
    if world.mood in ("well", "answer lost"):
        late, world.late = world.late, []
        for live in late:
            world.books.write(live.call)
            world.books.settle(live.call, charge=True)
            world.over.append(live)
            world.seen["written later"] += 1
    for live in list(world.live):
        if live.waits_since_ms is not None:
            aborts = live.call.stream and live.offers[0] == "abort"
            bound_ms = USAGE_MS if aborts else DRAIN_SECONDS_MAX * 1000
            if world.clock.elapsed_ms - live.waits_since_ms >= bound_ms:
                _given_up(world, live)


def goes_bad(world: World, mood: Mood, *, known: bool = False) -> None:
    """known: before a call is let in; else it is found out by a commit."""
    world.premises.disk.mood = mood
    world.premises.vault.trouble = "the disk is full" if known else None
    world.one_fails = mood == "fails once"


def stalls(world: World, stall: Stall) -> None:
    world.premises.vault.stall = stall


def goes_on(world: World) -> None:
    """What was kept up on its way to the ledger, or back, arrives."""
    stall = world.stall
    world.premises.vault.go_on()
    world.settle_down()
    stalled, world.stalled = world.stalled, []
    for live in stalled:
        if stall == "before":
            world.books.write(live.call)
        world.books.settle(live.call, charge=live.call.charged is not None)
        world.over.append(live)


def _over(world: World, live: Live, ending: str, used: Mapping[str, int] | None) -> None:
    """A call has ended; it is written down now, or later, or never."""
    books, call = world.books, live.call
    live.ending = ending
    world.seen[ending] += 1
    books.ends(call, used)
    if live in world.live:
        world.live.remove(live)
    if world.stall:
        if world.stall == "after":
            books.write(call)
        world.stalled.append(live)
    elif world.mood in ("well", "answer lost") and not world.one_fails:
        books.write(call)
        books.settle(call, charge=call.charged is not None)
        world.over.append(live)
        if call.overrun:
            world.seen["overrun"] += 1
    else:
        kept_back = ending in ("finished", "incomplete") and not call.stream
        live.whole = False
        if call.charged is None or kept_back:
            world.seen["free for want of a record"] += kept_back
            books.settle(call, charge=False)
            world.over.append(live)
        else:
            world.late.append(live)


def _goes_on(world: World, live: Live, pieces: list[bytes]) -> None:
    _attempt(world, live).give(*pieces)
    world.settle_down()
    live.heard = live.heard or not live.client.gone


def _given_up(world: World, live: Live) -> None:
    relayed = live.words or live.finishing
    _over(world, live, _left_when(live), _metered(world, live) if relayed else _counted(live, 0))


def _left_when(live: Live) -> str:
    return "client_left_after_first_byte" if live.heard else "client_left_before_first_byte"


def _attempt(world: World, live: Live) -> Attempt:
    return world.premises.provider.attempts[live.mark]


def _metered(world: World, live: Live) -> Usage:
    """As reported, where that can be and is silent of neither side of an answer with words; else as it is counted."""
    context = world.goods[live.call.model].context
    reported = live.reported
    if reported is not None:
        into = reported.get("input", 0) + reported.get("cache_read", 0)
        out = reported.get("output", 0) + reported.get("reasoning", 0)
        silent = live.words and not (into and out)
        possible = into <= context and out <= context * live.call.answers
        if _beyond(live):
            world.seen["beyond its maximum"] += 1
            held = _as_held(live.call, reported, context)
            assert live.call.prices is not None
            assert live.call.most is not None
            if possible and tariff.charge(live.call.prices, held) <= live.call.most:
                world.seen["as held"] += 1
                return held
        elif possible and not silent:
            return {**reported, "requests": 1}
    return _counted(live, live.words)


def _as_held(call: Call, reported: Usage, context: int) -> Usage:
    """So much of a report as the call was held for: what comes first is filled first."""
    left_in, left_out = min(call.body_bytes, context), call.allowed or 0
    read = min(reported.get("input", 0), left_in)
    written = min(reported.get("output", 0), left_out)
    return {
        "input": read,
        "cache_read": min(reported.get("cache_read", 0), left_in - read),
        "output": written,
        "reasoning": min(reported.get("reasoning", 0), left_out - written),
        "requests": 1,
    }


def _beyond(live: Live) -> bool:
    """What is reported would cost more than the call may by its own word."""
    call, reported = live.call, live.reported
    if reported is None or call.most is None or call.prices is None:
        return False
    return tariff.charge(call.prices, {**reported, "requests": 1}) > call.most


def _cut(world: World, live: Live) -> Usage:
    """As far as it may pass, and no report is looked at."""
    world.seen["cut"] += 1
    return {"input": live.call.prompt_words, "output": live.call.allowed or 0, "requests": 1}


def _counted(live: Live, output: int) -> Usage:
    cap = live.call.cap if live.call.cap is not None else live.call.added_cap
    if cap is not None and output <= max((most := cap * live.call.answers) * 3 // 2, live.call.allowed or 0):
        output = min(output, most)
    return {"input": live.call.prompt_words, "output": output, "requests": 1}


def _as_openai(usage: Usage) -> dict[str, Any]:
    prompt = usage.get("input", 0) + usage.get("cache_read", 0)
    completion = usage.get("output", 0) + usage.get("reasoning", 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": usage.get("cache_read", 0)},
        "completion_tokens_details": {"reasoning_tokens": usage.get("reasoning", 0)},
    }


def _body(model: str, text: str, stream: bool, cap: int | None, answers: int) -> bytes:
    members: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": text}]}
    if stream:
        members |= {"stream": True, "stream_options": {"include_usage": True}}
    if cap is not None:
        members["max_tokens"] = cap
    if answers != 1:
        members["n"] = answers
    return json.dumps(members).encode()


PLAIN_CAP = 12
PLAIN_BYTES = len(_body("plain", f"{mark(0)} w", False, PLAIN_CAP, 1))
