"""Usage as Gemini reports it (`usageMetadata`), read into disjoint buckets.

`promptTokenCount` includes what the cache holds; the prompts of tools, the candidates and the thoughts stand side by
side. `...Details` share out a count by modality: sound is `audio_in` or `audio_out`, pictures and film are `image_in`
or `image_out`, all else is text. In a stream each event repeats the counts so far: the last one is the report.
A count of 0 is left out, as Google's JSON does.
"""

from msgspec import structs

from tollhouse.core.figures import Report, Unbelievable, figure, rest
from tollhouse.core.usage import Usage
from tollhouse.formats.gemini.spelling import snake

_COUNTS = ("promptTokenCount", "candidatesTokenCount", "responseTokenCount", "thoughtsTokenCount")
_DETAILS = (
    *("promptTokensDetails", "cacheTokensDetails", "toolUsePromptTokensDetails", "candidatesTokensDetails"),
    "responseTokensDetails",
)
_MEMBERS = (*_COUNTS, *_DETAILS, "cachedContentTokenCount", "toolUsePromptTokenCount", "totalTokenCount", "tokenCount")
_PICTURES = ("IMAGE", "VIDEO")


def read(reported: object) -> Usage | None:
    """Normalise one decoded `usageMetadata`. None: there is none, or it is not to be believed, so the caller counts.

    Not believed is a figure that is negative, no integer, beyond `TOKENS_MAX`, or a part larger than its whole.
    """
    if not isinstance(reported, dict) or not says_something(reported):
        return None
    try:
        return _read(_in_camel(reported))
    except Unbelievable:
        return None


def with_searches(usage: Usage | None, searches: int) -> Usage | None:
    """A report, which tells no searches, and those that stand in its answer."""
    return structs.replace(usage, searches=searches) if usage is not None and searches else usage


def _read(reported: Report) -> Usage:
    prompt, cached = figure(reported, "promptTokenCount") or 0, figure(reported, "cachedContentTokenCount") or 0
    tools = figure(reported, "toolUsePromptTokenCount") or 0
    said = figure(reported, "candidatesTokenCount") or figure(reported, "responseTokenCount") or 0

    text, heard, seen = _by_modality(reported, "promptTokensDetails", prompt)
    cached_text, cached_heard, cached_seen = _by_modality(reported, "cacheTokensDetails", cached)
    if not reported.get("cacheTokensDetails"):  # nobody says how the two overlap: text was cached first
        cached_text = min(text, cached)
        cached_heard = min(heard, cached - cached_text)
        cached_seen = cached - cached_text - cached_heard
    tools_text, tools_heard, tools_seen = _by_modality(reported, "toolUsePromptTokensDetails", tools)
    details_out = "candidatesTokensDetails" if reported.get("candidatesTokensDetails") else "responseTokensDetails"
    output, spoken, drawn = _by_modality(reported, details_out, said)
    return Usage(
        input=rest(text, cached_text) + tools_text,
        cache_read=cached,
        output=output,
        reasoning=figure(reported, "thoughtsTokenCount") or 0,
        audio_in=rest(heard, cached_heard) + tools_heard,
        audio_out=spoken,
        image_in=rest(seen, cached_seen) + tools_seen,
        image_out=drawn,
    )


def _by_modality(reported: Report, name: str, whole: int) -> tuple[int, int, int]:
    """A count shared out into text, sound and pictures; what the details do not name is text."""
    details = reported.get(name)
    heard = seen = 0
    for part in details if isinstance(details, list) else []:
        if not isinstance(part, dict):
            continue
        tokens = figure(part, "tokenCount") or 0
        if part.get("modality") == "AUDIO":
            heard += tokens
        elif part.get("modality") in _PICTURES:
            seen += tokens
    return rest(whole, heard, seen), heard, seen


def write(usage: Usage) -> dict[str, object]:
    """As Gemini reports it: a count of 0 is left out, but for the prompt and the total."""
    prompt, cached = usage.tokens_in(), usage.cache_read
    said = usage.output + usage.audio_out + usage.image_out
    counts = {"cachedContentTokenCount": cached, "candidatesTokenCount": said, "thoughtsTokenCount": usage.reasoning}
    reported: dict[str, object] = {"promptTokenCount": prompt}
    reported |= {name: tokens for name, tokens in counts.items() if tokens}
    reported["totalTokenCount"] = prompt + usage.tokens_out()
    if usage.audio_in or usage.image_in:
        reported["promptTokensDetails"] = _details(prompt, usage.audio_in, usage.image_in)
        if cached:  # nobody says of what modality: what was read from the cache is a bucket of its own
            reported["cacheTokensDetails"] = _details(cached, 0, 0)
    if usage.audio_out or usage.image_out:
        reported["candidatesTokensDetails"] = _details(said, usage.audio_out, usage.image_out)
    return reported


def _details(whole: int, heard: int, seen: int) -> list[dict[str, object]]:
    """A count shared out by modality."""
    shares = {"TEXT": whole - heard - seen, "AUDIO": heard, "IMAGE": seen}
    return [{"modality": modality, "tokenCount": tokens} for modality, tokens in shares.items() if tokens]


def says_something(reported: Report) -> bool:
    """Whether a report has any figure."""
    told = any(reported.get(name) is not None for name in _COUNTS)
    return told or any(reported.get(snake(name)) is not None for name in _COUNTS)


def _in_camel(reported: Report) -> Report:
    """Google writes camelCase; servers that write its records anew may not."""
    if not any(snake(name) in reported for name in _COUNTS):
        return reported
    camel = {snake(name): name for name in _MEMBERS}
    told = {camel.get(name, name): value for name, value in reported.items()}
    for name in _DETAILS:
        shares = told.get(name)
        if isinstance(shares, list):
            told[name] = [
                {camel.get(key, key): one for key, one in share.items()} for share in shares if isinstance(share, dict)
            ]
    return told
