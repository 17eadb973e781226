"""Whatever a vendor reports, no bucket is below zero and no token stands in two of them."""

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from tollhouse.billing.charges import total
from tollhouse.billing.prices import read_price
from tollhouse.core.usage import BUCKETS, TOKENS_MAX, Usage
from tollhouse.formats.anthropic import usage as anthropic
from tollhouse.formats.gemini import usage as gemini
from tollhouse.formats.openai import usage as openai

PRICE = read_price({"input": "2.50", "cache_read": "1.25", "output": "10.00"}, id="price_1", model="house-1")

_ODD = st.none() | st.booleans() | st.floats() | st.text(max_size=2) | st.sampled_from([[], {}, TOKENS_MAX + 1, 2**63])
_FIGURES = st.integers(-2, 40) | st.integers(0, 40) | st.integers(0, 40) | _ODD
_SMALL = st.integers(0, 40)


def _objects(names: tuple[str, ...], values: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))


_PLACES = (
    *("prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details"),
    *("input_token_details", "output_token_details"),
)


def _openai(figures: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    details = _objects(
        ("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens", "reasoning_tokens", "text_tokens"),
        figures,
    )
    split = _objects(("text_tokens", "audio_tokens", "image_tokens"), figures)
    detailed = st.builds(lambda a, b: {**a, "cached_tokens_details": b}, details, split) | details
    wholes = ("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens")
    cached = ("cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return st.builds(
        lambda whole, rest, locations: {**whole, **rest, **locations},
        _objects(wholes, figures),
        _objects((*cached, "reasoning_tokens", "prompt_audio_seconds"), figures),
        _objects(_PLACES, detailed | _ODD),
    )


def _parts(total_tokens: int, count: int) -> st.SearchStrategy[list[int]]:
    """`count` parts of a whole."""
    cuts = st.lists(st.integers(0, total_tokens), min_size=count - 1, max_size=count - 1).map(sorted)
    return cuts.map(lambda at: [b - a for a, b in zip([0, *at], [*at, total_tokens], strict=True)])


def holds(usage: Usage | None) -> None:
    if usage is None:
        return
    for bucket in BUCKETS:
        figure = getattr(usage, bucket)
        assert type(figure) is int, bucket
        assert figure >= 0, bucket
    assert total(PRICE, usage) >= 0


@given(_openai(_FIGURES), st.sampled_from(["text", "image", "audio"]))
def test_no_openai_report_makes_a_bucket_or_a_charge_negative(reported: dict[str, object], writes: str) -> None:
    holds(openai.read(reported, writes))  # type: ignore[arg-type]


@given(_openai(_SMALL))
@example({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 9, "audio_tokens": 9}})
def test_no_token_of_an_openai_report_stands_in_two_buckets(reported: dict[str, int]) -> None:
    """Input and output together are what the wholes say, or what `total_tokens` says where a part stands beside, or a
    side is not named; or more by a part that its whole cannot hold."""
    usage = openai.read(reported)
    if usage is None:
        return
    prompt = reported.get("prompt_tokens", 0), reported.get("completion_tokens", 0)
    named = prompt if any(prompt) else (reported.get("input_tokens", 0), reported.get("output_tokens", 0))
    by_input = not any(prompt) and not {"input_tokens", "output_tokens"}.isdisjoint(reported)
    tokens = usage.tokens_in() + usage.tokens_out()
    total_tokens = reported.get("total_tokens", 0)
    beside = [0]
    if named[1] < usage.reasoning:
        beside.append(usage.reasoning)
    if "total_tokens" not in reported and ("cache_read_input_tokens" in reported or by_input):
        beside += [one + usage.cache_read + usage.cache_write_5m for one in beside]
    assert tokens in {whole + part for whole in (sum(named), total_tokens) for part in beside}
    assert usage.tokens_in() >= named[0]
    assert usage.tokens_out() >= named[1]


@given(st.data(), _SMALL, _SMALL)
def test_a_report_by_openais_convention_is_read_back_exactly(data: st.DataObject, prompt: int, completion: int) -> None:
    text, read, written, heard, seen = data.draw(_parts(prompt, 5))
    said, thought, spoken = data.draw(_parts(completion, 3))
    reported: dict[str, object] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {
            "cached_tokens": read,
            "cache_write_tokens": written,
            "audio_tokens": heard,
            "image_tokens": seen,
        },
        "completion_tokens_details": {"reasoning_tokens": thought, "audio_tokens": spoken},
    }
    expected = Usage(
        input=text, cache_read=read, cache_write_5m=written, audio_in=heard, image_in=seen, output=said,
        reasoning=thought, audio_out=spoken,
    )  # fmt: skip
    assert openai.read(reported) == expected


_ANTHROPIC = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_LIFETIMES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")


def _anthropic(figures: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    one = st.builds(
        lambda whole, locations: {**whole, **locations},
        _objects(_ANTHROPIC, figures),
        _objects(("cache_creation",), _objects(_LIFETIMES, figures) | _ODD),
    )
    rounds = st.lists(one.map(lambda figures: {**figures, "type": "compaction"}) | _ODD, max_size=2)
    return st.builds(lambda whole, iterations: {**whole, "iterations": iterations}, one, rounds) | one


@given(_anthropic(_FIGURES), _anthropic(_FIGURES))
def test_no_anthropic_report_makes_a_bucket_or_a_charge_negative(
    start: dict[str, object], later: dict[str, object]
) -> None:
    for reported in (start, later, anthropic.merged(start, later)):
        holds(anthropic.read(reported))


@given(_objects(_ANTHROPIC, _SMALL))
def test_anthropics_figures_stand_side_by_side(reported: dict[str, int]) -> None:
    usage = anthropic.read(reported)
    assert (usage is None) == (not reported)
    if usage is not None:
        assert usage.tokens_in() + usage.tokens_out() == sum(reported.values())


_GEMINI = (
    *("promptTokenCount", "cachedContentTokenCount", "candidatesTokenCount", "thoughtsTokenCount"),
    *("toolUsePromptTokenCount", "totalTokenCount"),
)
_GEMINI_DETAILS = ("promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails", "toolUsePromptTokensDetails")


def _gemini(figures: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    modality = st.sampled_from(["TEXT", "AUDIO", "IMAGE", "VIDEO", "DOCUMENT", "SMELL"])
    part = st.builds(lambda kind, count: {"modality": kind, "tokenCount": count}, modality, figures)
    return st.builds(
        lambda whole, locations: {**whole, **locations},
        _objects(_GEMINI, figures),
        _objects(_GEMINI_DETAILS, st.lists(part | _ODD, max_size=3) | _ODD),
    )


@given(_gemini(_FIGURES))
def test_no_gemini_report_makes_a_bucket_or_a_charge_negative(reported: dict[str, object]) -> None:
    holds(gemini.read(reported))


@given(_gemini(_SMALL))
def test_no_token_of_a_gemini_report_stands_in_two_buckets(reported: dict[str, int]) -> None:
    usage = gemini.read(reported)
    if usage is not None:
        assert usage.tokens_in() == reported.get("promptTokenCount", 0) + reported.get("toolUsePromptTokenCount", 0)
        assert usage.tokens_out() == reported.get("candidatesTokenCount", 0) + reported.get("thoughtsTokenCount", 0)
        assert usage.cache_read == reported.get("cachedContentTokenCount", 0)


@given(_openai(_FIGURES) | _anthropic(_FIGURES) | _gemini(_FIGURES))
def test_the_buckets_are_the_same_whatever_else_a_report_holds(reported: dict[str, object]) -> None:
    more = {**reported, "cost": 0.7, "queue_time": "soon", "service_tier": None}
    for read in (openai.read, anthropic.read, gemini.read):
        usage, again = read(reported), read(more)
        assert usage == again
        if usage is not None:
            assert structs.asdict(usage).keys() == set(BUCKETS)
