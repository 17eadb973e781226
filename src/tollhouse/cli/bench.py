"""tollhouse bench: how quickly any OpenAI-compatible service answers many calls at once."""

import sys
from typing import Annotated

from cyclopts import Parameter

from tollhouse.checklist.key import read_key
from tollhouse.cli import load
from tollhouse.cli.checklist import chat_model, hidden, listed_models
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.service import BadBaseUrl, Service, Unreachable, base_urls
from tollhouse.cli.terminal import as_json, show_table
from tollhouse.cli.trouble import CommandFailed, Misuse
from tollhouse.clock import SystemClock

_REQUESTS_MAX, _AT_ONCE_MAX, _TOKENS_MAX = 1_000_000, 512, 100_000


def bench(
    *,
    base_url: Annotated[str, Parameter(env_var="TOLLHOUSE_BASE_URL", help="where the service is, with or without /v1")],
    key: Annotated[str, Parameter(env_var="TOLLHOUSE_API_KEY", help="an API key of that service")],
    model: Annotated[str | None, Parameter(help="default: the first chat model it lists")] = None,
    requests: Annotated[int, Parameter(help="calls in all; each is paid for")] = 50,
    at_once: Annotated[int, Parameter(help="callers, each waiting for its answer before the next call")] = 8,
    max_tokens: Annotated[int, Parameter(help="output tokens a call at most")] = 16,
    stream: Annotated[bool, Parameter(negative=(), help="streamed answers, timed to the first byte, too")] = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> int:
    """Time many small chat calls; they cost what they cost there. Exit code 1 if any of them is not answered."""
    for name, value, most in (
        ("--requests", requests, _REQUESTS_MAX),
        ("--at-once", at_once, _AT_ONCE_MAX),
        ("--max-tokens", max_tokens, _TOKENS_MAX),
    ):
        if not 1 <= value <= most:
            raise Misuse(f"{name} is a number from 1 to {most}, and not {value}")
    typed = read_key(key)
    if typed.trouble is not None:
        raise Misuse(f"{typed.trouble.reason.removesuffix('.')}; copy it again, whole and alone")
    key = typed.text
    found_at, chosen = _found(base_url, key, model)
    body: dict[str, object] = {"model": chosen, "max_tokens": max_tokens}
    body["messages"] = [{"role": "user", "content": "Say something short about a tollhouse."}]
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    every = max(1, requests // 10)

    def told(done: int) -> None:
        if done % every == 0 and not at.json:
            print(f"{done} of {requests} calls ...", file=sys.stderr)

    seen = load.run(
        found_at, key, body, requests=requests, at_once=min(at_once, requests), clock=SystemClock(), told=told
    )
    if at.json:
        print(as_json(seen))
    else:
        _show(seen)
    return 1 if seen.failed else 0


def _found(base_url: str, key: str, model: str | None) -> tuple[str, str]:
    """The base URL that has the API, and the model to call. Raises Misuse, Trouble."""
    try:
        listed = Service(base_urls=base_urls(base_url), key=key).ask("GET", "/models")
    except BadBaseUrl as error:
        raise Misuse(str(error), code="invalid_base_url") from error
    except Unreachable as error:
        raise CommandFailed(f"cannot reach {base_url}: {error}", code="unreachable") from error
    if listed.status in (401, 403):
        words = hidden(listed.message, key)
        raise CommandFailed(f"the service does not accept the key: {words}", code=listed.code or "invalid_api_key")
    chosen = model or chat_model(listed_models(listed))
    if chosen is None:
        raise Misuse("the service lists no chat model: name one with --model")
    return listed.url.removesuffix("/models"), chosen


def _show(seen: load.LoadResult) -> None:
    answers = "streamed" if seen.stream else "buffered"
    print(f"{seen.base_url}, model {seen.model}, {answers}, {seen.at_once} at once")
    print(f"{seen.answered} of {seen.requests} answered in {seen.seconds} s: {seen.per_second} a second")
    rows = [("whole answer", seen.whole_ms), ("first byte", seen.first_byte_ms)]
    shown = [[name, times.p50, times.p95, times.p99] for name, times in rows if times is not None]
    if shown:
        show_table(["milliseconds", "p50", "p95", "p99"], shown)
    for code, calls in seen.failed.items():
        print(f"not answered: {calls} x {code}")
    if seen.charge_usd is not None:
        print(f"charged: {seen.charge_usd} USD")
