"""Usage as Anthropic reports it, read into disjoint buckets.

`input_tokens` is what was neither read from the cache nor written to it; the three stand side by side. `output_tokens`
includes thinking. A stream reports in pieces, each figure a total so far: what stands at the start may be repeated,
corrected or first told at the end, so pieces are `merged`, never added.
"""

from msgspec import structs

from tollhouse.core.figures import Report, Unbelievable, figure, rest, within
from tollhouse.core.usage import SEARCHES_MAX, Usage

_ADDED_UP = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens")


def read(reported: object) -> Usage | None:
    """Normalise one decoded `usage` object. None: there is none, or it is not to be believed, so the caller counts.

    Not believed is a figure that is negative, no integer, beyond `TOKENS_MAX`, or a part larger than its whole.
    """
    if not isinstance(reported, dict) or not any(reported.get(name) is not None for name in _ADDED_UP):
        return None
    try:
        parts = [_read(reported), *(_read(round_) for round_ in _compactions(reported))]
    except Unbelievable:
        return None
    return Usage(
        input=sum(part.input for part in parts),
        cache_read=sum(part.cache_read for part in parts),
        cache_write_5m=sum(part.cache_write_5m for part in parts),
        cache_write_1h=sum(part.cache_write_1h for part in parts),
        output=sum(part.output for part in parts),
        reasoning=sum(part.reasoning for part in parts),
        searches=parts[0].searches,
    )


def merged(earlier: Report, later: Report) -> dict[str, object]:
    """What two reports of one stream say together: a later figure replaces an earlier one, unless it is null or 0.

    `message_delta` of Anthropic repeats totals; some servers of its format put zeros where they have nothing to say.
    """
    return {**later, **earlier, **{name: value for name, value in later.items() if _says_something(value)}}


def with_searches(usage: Usage | None, searches: int) -> Usage | None:
    """A report, and the searches that the blocks of its answer show, where it tells none."""
    return usage if usage is None or usage.searches or not searches else structs.replace(usage, searches=searches)


def write(usage: Usage) -> dict[str, object]:
    """A report that says so. The format has one bucket for all input that was not cached."""
    written = usage.cache_write_5m + usage.cache_write_1h
    reported: dict[str, object] = {
        "input_tokens": usage.tokens_in() - usage.cache_read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.tokens_out(),
    }
    if usage.reasoning:
        reported["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.searches:
        reported["server_tool_use"] = {"web_search_requests": usage.searches, "web_fetch_requests": 0}
    return reported


def _read(reported: Report) -> Usage:
    written = figure(reported, "cache_creation_input_tokens")
    split = within(reported, "cache_creation")
    for_an_hour = figure(split, "ephemeral_1h_input_tokens") or 0
    if written is None:
        written = (figure(split, "ephemeral_5m_input_tokens") or 0) + for_an_hour
    output = figure(reported, "output_tokens") or 0
    thought = figure(within(reported, "output_tokens_details"), "thinking_tokens") or 0
    return Usage(
        input=figure(reported, "input_tokens") or 0,
        cache_read=figure(reported, "cache_read_input_tokens") or 0,
        cache_write_5m=rest(written, for_an_hour),
        cache_write_1h=for_an_hour,
        output=rest(output, thought),
        reasoning=thought,
        searches=_searches(reported),
    )


def _searches(reported: Report) -> int:
    """A figure that is none counts for nothing: the tokens beside it are believed."""
    try:
        told = figure(within(reported, "server_tool_use"), "web_search_requests") or 0
    except Unbelievable:
        return 0
    return told if told <= SEARCHES_MAX else 0


def _says_something(value: object) -> bool:
    return any(map(_says_something, value.values())) if isinstance(value, dict) else bool(value)


def _compactions(reported: Report) -> list[Report]:
    """Rounds in which the model summed up its own context: billed, and not in the figures of the report itself."""
    rounds = reported.get("iterations")
    return [
        round_
        for round_ in (rounds if isinstance(rounds, list) else [])
        if isinstance(round_, dict) and round_.get("type") == "compaction"
    ]
