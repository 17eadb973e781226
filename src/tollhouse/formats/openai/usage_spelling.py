"""Reports in other words than OpenAI's, said in OpenAI's: native figures of vendors that stand in an OpenAI answer.

`SPELLINGS` is the table; docs/usage.md shows it. Names are compared without case, `_` and `-`, so `promptTokens`,
`PromptTokens` and `prompt_tokens` are one.
"""

from typing import Final, NamedTuple

from tollhouse.core.figures import Report

_Object = dict[str, object]


class Spelling(NamedTuple):
    """`prompt` and `completion` are sums: a vendor that tells a part beside its whole has both names here."""

    vendors: str
    prompt: tuple[str, ...]
    completion: tuple[str, ...]
    total: str = ""
    cached: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()


SPELLINGS: Final = (
    Spelling(
        "Gemini",
        ("prompttokencount", "tooluseprompttokencount"),
        ("candidatestokencount", "responsetokencount", "thoughtstokencount"),
        "totaltokencount",
        cached=("cachedcontenttokencount",),
        reasoning=("thoughtstokencount",),
    ),
    Spelling("Ollama", ("promptevalcount",), ("evalcount",)),
    Spelling("llama.cpp (`timings`)", ("promptn", "cachen"), ("predictedn",), cached=("cachen",)),
    Spelling("llama.cpp (`/completion`)", ("tokensevaluated",), ("tokenspredicted",)),
    Spelling("LM Studio (`stats`)", ("inputtokens",), ("totaloutputtokens",), reasoning=("reasoningoutputtokens",)),
    Spelling(
        "Bedrock Converse, Vercel AI SDK",
        ("inputtokens", "cachereadinputtokens", "cachewriteinputtokens"),
        ("outputtokens",),
        "totaltokens",
        cached=("cachereadinputtokens", "cachedinputtokens"),
        written=("cachewriteinputtokens",),
        reasoning=("reasoningtokens",),
    ),
    Spelling(
        "Bedrock (invocation metrics), Replicate, watsonx",
        ("inputtokencount", "cachereadinputtokencount", "cachewriteinputtokencount"),
        ("outputtokencount", "generatedtokencount"),
        "totaltokencount",
        cached=("cachereadinputtokencount",),
        written=("cachewriteinputtokencount",),
    ),
    Spelling("YandexGPT", ("inputtexttokens",), ("completiontokens",), "totaltokens"),
    Spelling("Hunyuan, SDKs in camel case", ("prompttokens",), ("completiontokens",), "totaltokens"),
    Spelling("Cohere (`token_count`)", ("prompttokens",), ("responsetokens",), "totaltokens"),
    Spelling("DeepInfra (`inference_status`)", ("tokensinput",), ("tokensgenerated",)),
    Spelling("OpenRouter (generations)", ("tokensprompt",), ("tokenscompletion",)),
    Spelling("Aleph Alpha", ("numtokensprompttotal",), ("numtokensgenerated",)),
    Spelling("Anyscale, NIM", ("numinputtokens",), ("numoutputtokens",)),
    Spelling("TGI (`details`)", ("inputlength",), ("generatedtokens",)),
    Spelling("HyperCLOVA", ("inputlength",), ("outputlength",)),
)

_NAMES: Final = frozenset(name for spelling in SPELLINGS for name in (spelling.prompt[0], *spelling.completion))
_OWN: Final = frozenset(("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens"))
_DIGITS_MAX: Final = 12


def in_own_words(report: Report) -> Report:
    """A report as OpenAI would spell it; one that is spelled so, or in no known way, as it is."""
    if _names_both(report):
        return report
    inner = _inner(report)
    if inner is not report:
        return in_own_words(inner)
    folded = {_folded(name): value for name, value in report.items()}
    spelling = _spelling(folded)
    if spelling is None or (not _OWN.isdisjoint(report) and not _speaks(spelling, folded)):
        return report
    said: _Object = {
        "prompt_tokens": _sum(folded, spelling.prompt),
        "completion_tokens": _sum(folded, spelling.completion),
        "prompt_tokens_details": {
            "cached_tokens": _sum(folded, spelling.cached),
            "cache_write_tokens": _sum(folded, spelling.written),
        },
        "completion_tokens_details": {"reasoning_tokens": _sum(folded, spelling.reasoning)},
    }
    if spelling.total in folded:
        said["total_tokens"] = _number(folded[spelling.total])
    return said


def is_report(value: object) -> bool:
    """Whether an object that stands where a report may stand is one: it names tokens."""
    if not isinstance(value, dict) or not value:
        return False
    inner = _inner(value)
    if inner is not value:
        return is_report(inner)
    return not _OWN.isdisjoint(value) or any(_folded(name) in _NAMES for name in value)


def _names_both(report: Report) -> bool:
    return ("prompt_tokens" in report and "completion_tokens" in report) or (
        "input_tokens" in report and "output_tokens" in report
    )


def _inner(report: Report) -> Report:
    """Cohere reports what it bills beside all that it read; iFlytek one level down."""
    for name in ("billed_units", "tokens", "text"):
        inner = report.get(name)
        if isinstance(inner, dict) and inner:
            return inner
    return report


def _spelling(folded: _Object) -> Spelling | None:
    """The first that names both sides; else, as of vectors, the first that names one."""
    both = next((spelling for spelling in SPELLINGS if _speaks(spelling, folded)), None)
    return both or next((spelling for spelling in SPELLINGS if _names(spelling, folded)), None)


def _speaks(spelling: Spelling, folded: _Object) -> bool:
    return spelling.prompt[0] in folded and any(name in folded for name in spelling.completion)


def _names(spelling: Spelling, folded: _Object) -> bool:
    return spelling.prompt[0] in folded or any(name in folded for name in spelling.completion)


def _sum(folded: _Object, names: tuple[str, ...]) -> object:
    """The figures added up; the first that is none, so that the report is judged by it."""
    total = 0
    for name in names:
        value = _number(folded.get(name))
        if value is None:
            continue
        if type(value) is not int:
            return value
        total += value
    return total


def _number(value: object) -> object:
    """A figure; protocol buffers write theirs as text where they may be long."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS_MAX:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
