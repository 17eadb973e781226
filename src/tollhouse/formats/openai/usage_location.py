"""Where an answer, or a chunk of one, reports its usage: at the top, or wherever a vendor put it.

Looked through in this order: `usage`; a choice, and what it says; an object beside `usage` that names tokens
(`REPORTS`); one that has a report in it, whoever's it is (`x_groq`, `response`, `meta`, ...); the answer itself, of
which Ollama writes its figures. The first that says something is the report: vendors repeat theirs, none adds them up.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tollhouse.core.figures import Report
from tollhouse.formats.openai.usage_spelling import in_own_words, is_report

_Object = dict[str, object]

REPORTS: Final = frozenset(
    (
        *("usageMetadata", "usage_metadata", "token_usage", "tokenUsage", "Usage", "timings", "inference_status"),
        *(
            "amazon-bedrock-invocationMetrics",
            "metrics",
            "stats",
            "meta_info",
            "token_count",
            "details",
            "billed_units",
        ),
        "tokens",
    )
)
"""Members that are reports themselves, in an answer or in an object of it; where they name tokens, that is."""
_USUAL: Final = frozenset(
    (
        *("id", "object", "created", "model", "choices", "usage", "system_fingerprint", "service_tier", "provider"),
        *("data", "output", "results", "error", "obfuscation"),
    )
)
_KEPT: Final = frozenset(("timings", "stats", "metrics", "inference_status", "details", "meta_info"))
"""Tell times, too: they stay where they are, while other reports are told once, as `usage`."""
_OF_THE_ANSWER: Final = frozenset(
    ("prompt_eval_count", "eval_count", "num_tokens_prompt_total", "num_tokens_generated")
)
_WHOLES: Final = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens", "total_tokens")


class UsageLocation(NamedTuple):
    """A report, and where it stands: `holder[name]`; no name: in the answer itself."""

    report: _Object
    holder: _Object
    name: str

    def clear(self) -> None:
        """Take the report out of the answer, so that it is told once."""
        names = (self.name,) if self.name else self.report
        for name in names:
            if name not in _KEPT:
                self.holder.pop(name, None)


def find(answer: _Object, choices: list[_Object]) -> UsageLocation | None:
    """The report of a decoded answer or chunk; None: there is none."""
    usual = answer.get("usage")
    found = UsageLocation(usual, answer, "usage") if usual and isinstance(usual, dict) else None
    if found is None and _USUAL.issuperset(answer) and not any(map(_may_report, choices)):
        return None
    if found is not None and says_something(found.report):
        return found
    for location in _elsewhere(answer, choices):
        if says_something(location.report):
            return location
        found = found or location
    return found


def _may_report(choice: _Object) -> bool:
    said = choice.get("delta") or choice.get("message")
    return "usage" in choice or (isinstance(said, dict) and "usage" in said)


def says_something(report: Report) -> bool:
    """Whether a report names any token. One of nothing but zeros and nulls does not replace another one."""
    return _names_a_token(report) or _names_a_token(in_own_words(report))


def _names_a_token(report: Report) -> bool:
    for name in _WHOLES:  # noqa: SIM110 - on the way of each answer: a generator costs three times the loop
        if report.get(name) not in (None, 0):
            return True
    return False


def _elsewhere(answer: _Object, choices: list[_Object]) -> Iterator[UsageLocation]:
    for choice in choices:
        if not _may_report(choice):
            continue
        yield from _usage_in(choice)
        for said in (choice.get("delta"), choice.get("message")):
            if said and isinstance(said, dict):
                yield from _usage_in(said)
    if _USUAL.issuperset(answer):
        return
    yield from _reports_in(answer)
    figures: _Object = {}
    for name, value in answer.items():
        if name in _USUAL:
            continue
        if name in _OF_THE_ANSWER:
            figures[name] = value
        elif isinstance(value, dict):
            yield from _usage_in(value)
            yield from _reports_in(value)
    if figures:
        yield UsageLocation(figures, answer, "")


def _usage_in(holder: _Object) -> Iterator[UsageLocation]:
    if "usage" in holder and is_report(usage := holder["usage"]):
        yield UsageLocation(usage, holder, "usage")  # type: ignore[arg-type]


def _reports_in(holder: _Object) -> Iterator[UsageLocation]:
    if REPORTS.isdisjoint(holder):
        return
    for name, report in holder.items():
        if name in REPORTS and is_report(report):
            yield UsageLocation(report, holder, name)  # type: ignore[arg-type]
