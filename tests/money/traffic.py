"""What calls go through: asked, answered in every way, left, given up. Each thing is done to the platform and the
model.

What an ending costs is said here once more, by the table of docs/money.md.
"""

import json
from collections.abc import Mapping
from typing import Any

from tests.gateway.fakes import FakeCallerConnection
from tests.gateway.harness import DONE, ROLE, STREAMS, answer, event, word
from tests.money import tariff
from tests.money.checker import Checker, Key, Live
from tests.money.fakes import FakeAttempt, Mood, Stall, mark
from tests.money.platform_under_test import DRAIN_SECONDS_MAX, REHEARSED_USAGE
from tests.money.reference_model import ReferenceCall
from tollhouse.core.amount import format_usd
from tollhouse.core.failure import Failure, UpstreamBroke
from tollhouse.core.upstream import Headers
from tollhouse.gateway.connection import Call as GatewayCall
from tollhouse.gateway.connection import ClientDisconnected

JSON: Headers = [(b"content-type", b"application/json")]
USAGE_MS = 2_000
Usage = dict[str, int]


def ask(
    checker: Checker,
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
    word_of_it = mark(len(checker.over) + len(checker.live) + len(checker.stalled) + len(checker.late))
    product = checker.products[model]
    body = _body(model, f"{word_of_it}{' w' * words}", stream, cap, answers)
    client = FakeCallerConnection(body)
    client.leaves_before_body = gone
    headers: Headers = [] if most is None else [(b"x-tollhouse-max-cost-usd", format_usd(most).encode())]
    asked = checker.platform_under_test.call(client, key.secret, headers)
    call = ReferenceCall(
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
        free=product.free,
    )
    verdict = "gone"
    if not gone:
        known = checker.platform_under_test.vault.trouble is not None
        verdict = "overloaded" if known else checker.books.admit(call, context=product.context, longest=product.longest)
    told: list[str] = []
    task = checker.loop.create_task(_serve(checker, asked, told))
    live = Live(call, client, word_of_it, list(product.offers), task)
    checker.settle_down()
    sent = checker.platform_under_test.provider.attempts.get(word_of_it)
    if verdict == "let in" and key.mode == "test":
        live.whole = True
        _over(checker, live, "finished", {**REHEARSED_USAGE, "requests": 1})
        return
    assert (sent is not None) == (verdict == "let in"), f"the model says {verdict}, the platform {told or 'let in'}"
    if sent is None:
        assert verdict == "gone" or told == [verdict] or checker.stall, (verdict, told)
        checker.seen[verdict] += 1
        _over(checker, live, "client_left_before_dispatch" if gone else "refused", None)
        return
    cap_sent = json.loads(sent.asked.body).get("max_tokens")
    assert cap_sent == (cap if cap is not None else call.added_cap), "another output cap was sent"
    checker.live.append(live)


async def _serve(checker: Checker, asked: GatewayCall, told: list[str]) -> None:
    try:
        await checker.platform_under_test.serve(asked)
    except (Failure, ClientDisconnected) as ended:
        told.append(ended.code if isinstance(ended, Failure) else "gone")


def answers_whole(checker: Checker, live: Live, reported: Usage | None, raw: dict[str, Any] | None, words: int) -> None:
    """A buffered answer. reported None: `raw`, if anything, is no usage that can be believed."""
    attempt = _attempt(checker, live)
    attempt.open(200, JSON)
    attempt.give(answer("w " * words, usage=raw if reported is None else _as_openai(reported)), b"")
    live.words, live.reported = words, reported
    checker.settle_down()
    left, allowed = live.client.gone, live.call.allowed
    out = None if reported is None else reported.get("output", 0) + reported.get("reasoning", 0)
    doubtful = out is None or _beyond(live) or (allowed is not None and out > allowed)
    is_cut = allowed is not None and doubtful and words > allowed
    live.whole = not left
    used = _cut(checker, live) if is_cut else _metered(checker, live)
    ending = "incomplete" if is_cut else "finished"
    _over(checker, live, "client_left_before_first_byte" if left else ending, used)


def speaks(checker: Checker, live: Live) -> None:
    """The head of a stream, and whose turn it is."""
    _attempt(checker, live).open(200, STREAMS)
    _attempt(checker, live).give(ROLE)
    live.speaking = True
    checker.settle_down()


def says(checker: Checker, live: Live, words: int) -> None:
    _goes_on(checker, live, [word("w ")] * words)
    live.words += words
    if live.call.allowed is not None and live.words > live.call.allowed:
        left = live.client.gone
        live.whole = not left
        _over(checker, live, _left_when(live) if left else "incomplete", _cut(checker, live))


def finishes(checker: Checker, live: Live) -> None:
    ended = [{"index": index, "delta": {}, "finish_reason": "stop"} for index in range(live.call.answers)]
    _goes_on(checker, live, [event(choices=ended)])
    live.finishing = True


def reports(checker: Checker, live: Live, reported: Usage | None, raw: dict[str, Any]) -> None:
    """After the finish reason. reported None: `raw` is not to be believed."""
    _attempt(checker, live).give(event(choices=[], usage=raw if reported is None else _as_openai(reported)))
    live.reported = reported
    checker.settle_down()


def ends_stream(checker: Checker, live: Live, *, properly: bool) -> None:
    """By `[DONE]` and the end of the body, or by that alone: after a finish reason both are an end."""
    _attempt(checker, live).give(*([DONE] if properly else []), b"")
    checker.settle_down()
    left = live.client.gone
    live.whole = not left
    _over(checker, live, _left_when(live) if left else "finished", _metered(checker, live))


def fails(checker: Checker, live: Live, how: str) -> None:
    """The provider fails: before its head by a status or by hanging up, after it by hanging up or closing too early."""
    attempt = _attempt(checker, live)
    if how == "status":
        attempt.open(500, JSON)
        attempt.give(b'{"error":{"message":"no"}}', b"")
    elif how == "nonsense":
        attempt.open(200, JSON)
        attempt.give(b"<html>", b"")
    else:
        attempt.give(b"" if how == "closes" else UpstreamBroke("the provider hung up"))
    checker.settle_down()
    relayed = live.words or live.finishing
    if live.heard or (relayed and live.client.gone):
        ending = _left_when(live) if live.client.gone else "failed_after_first_byte"
        _over(checker, live, ending, _counted(live, live.words))
        return
    if len(live.offers) > 1 and not live.client.gone and not relayed:
        live.offers.pop(0)
        live.speaking = False
        assert _attempt(checker, live) is not attempt, "the next offer was not tried"
        checker.seen["tried elsewhere"] += 1
        return
    _over(checker, live, "failed_before_first_byte", None)


def leaves(checker: Checker, live: Live) -> None:
    """The caller hangs up. A stream is given up at once where its provider is to be aborted, unless it has its finish
    reason; everything else is waited for."""
    live.waits_since_ms = checker.clock.elapsed_ms
    checker.run(_leave(live))
    if live.call.stream and live.offers[0] == "abort" and not live.finishing:
        _given_up(checker, live)


async def _leave(live: Live) -> None:
    live.client.leave()


def time_passes(checker: Checker, milliseconds: int) -> None:
    """At least a second: timers end, and what could not be written is tried again."""
    checker.clock.elapsed_ms += milliseconds
    checker.clock.wall_ms += milliseconds
    checker.latest_ms = max(checker.latest_ms, checker.now_ms)
    checker.settle_down()
    if checker.mood in ("well", "answer lost"):
        late, checker.late = checker.late, []
        for live in late:
            checker.books.write(live.call)
            checker.books.settle(live.call, charge=True)
            checker.over.append(live)
            checker.seen["written later"] += 1
    for live in list(checker.live):
        if live.waits_since_ms is not None:
            aborts = live.call.stream and live.offers[0] == "abort"
            bound_ms = USAGE_MS if aborts else DRAIN_SECONDS_MAX * 1000
            if checker.clock.elapsed_ms - live.waits_since_ms >= bound_ms:
                _given_up(checker, live)


def goes_bad(checker: Checker, mood: Mood, *, known: bool = False) -> None:
    """known: before a call is let in; else it is found out by a commit."""
    checker.platform_under_test.disk.mood = mood
    checker.platform_under_test.vault.trouble = "the disk is full" if known else None
    checker.one_fails = mood == "fails once"


def stalls(checker: Checker, stall: Stall) -> None:
    checker.platform_under_test.vault.stall = stall


def goes_on(checker: Checker) -> None:
    """What was kept up on its way to the ledger, or back, arrives."""
    stall = checker.stall
    checker.platform_under_test.vault.go_on()
    checker.settle_down()
    stalled, checker.stalled = checker.stalled, []
    for live in stalled:
        if stall == "before":
            checker.books.write(live.call)
        checker.books.settle(live.call, charge=live.call.charged is not None)
        checker.over.append(live)


def _over(checker: Checker, live: Live, ending: str, used: Mapping[str, int] | None) -> None:
    """A call has ended; it is written down now, or later, or never."""
    books, call = checker.books, live.call
    live.ending = ending
    checker.seen[ending] += 1
    books.ends(call, used)
    if live in checker.live:
        checker.live.remove(live)
    if checker.stall:
        if checker.stall == "after":
            books.write(call)
        checker.stalled.append(live)
    elif checker.mood in ("well", "answer lost") and not checker.one_fails:
        books.write(call)
        books.settle(call, charge=call.charged is not None)
        checker.over.append(live)
        if call.overrun:
            checker.seen["overrun"] += 1
    else:
        kept_back = ending in ("finished", "incomplete") and not call.stream
        live.whole = False
        if call.charged is None or kept_back:
            checker.seen["free for want of a record"] += kept_back
            books.settle(call, charge=False)
            checker.over.append(live)
        else:
            checker.late.append(live)


def _goes_on(checker: Checker, live: Live, pieces: list[bytes]) -> None:
    _attempt(checker, live).give(*pieces)
    checker.settle_down()
    live.heard = live.heard or not live.client.gone


def _given_up(checker: Checker, live: Live) -> None:
    relayed = live.words or live.finishing
    _over(checker, live, _left_when(live), _metered(checker, live) if relayed else _counted(live, 0))


def _left_when(live: Live) -> str:
    return "client_left_after_first_byte" if live.heard else "client_left_before_first_byte"


def _attempt(checker: Checker, live: Live) -> FakeAttempt:
    return checker.platform_under_test.provider.attempts[live.mark]


def _metered(checker: Checker, live: Live) -> Usage:
    """As reported, where that can be and is silent of neither side of an answer with words; else as it is counted."""
    context = checker.products[live.call.model].context
    reported = live.reported
    if reported is not None:
        into = reported.get("input", 0) + reported.get("cache_read", 0)
        out = reported.get("output", 0) + reported.get("reasoning", 0)
        silent = live.words and not (into and out)
        possible = into <= context and out <= context * live.call.answers
        if _beyond(live):
            checker.seen["beyond its maximum"] += 1
            held = _as_held(live.call, reported, context)
            assert live.call.prices is not None
            assert live.call.most is not None
            if possible and tariff.charge(live.call.prices, held) <= live.call.most:
                checker.seen["as held"] += 1
                return held
        elif possible and not silent:
            return {**reported, "requests": 1}
    return _counted(live, live.words)


def _as_held(call: ReferenceCall, reported: Usage, context: int) -> Usage:
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


def _cut(checker: Checker, live: Live) -> Usage:
    """As far as it may pass, and no report is looked at."""
    checker.seen["cut"] += 1
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
