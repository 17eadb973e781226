"""Each vendor's own report, as data, becomes the same disjoint buckets: one file a convention in `golden/usage/`.

A file has `vendor`, `reader` (the room, and what its endpoint writes), `why`, the `usage` as reported, and the
`buckets` that are not 0; null: the report is not believed.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tollhouse.core.usage import Usage
from tollhouse.formats.anthropic import usage as anthropic
from tollhouse.formats.gemini import usage as gemini
from tollhouse.formats.openai import plain
from tollhouse.formats.openai import usage as openai

FOLDER = Path(__file__).parent / "golden" / "usage"
PAGE = (Path(__file__).parents[2] / "docs" / "usage.md").read_text(encoding="utf-8")
READERS: Mapping[str, Callable[[object], Usage | None]] = {
    "openai": openai.read,
    "openai/image": lambda reported: openai.read(reported, "image"),
    "openai/audio": lambda reported: openai.read(reported, "audio"),
    "anthropic": anthropic.read,
    "gemini": gemini.read,
}


def golden(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_bytes())
    return case


NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_a_vendors_report_is_read_by_its_convention(name: str) -> None:
    case = golden(name)
    usage = READERS[case["reader"]](case["usage"])
    assert (None if usage is None else {k: v for k, v in structs.asdict(usage).items() if v}) == case["buckets"]


@pytest.mark.parametrize("name", [name for name in NAMES if golden(name)["reader"] == "openai"])
def test_the_quick_way_reads_the_same(name: str) -> None:
    case = golden(name)
    quick = plain.read_usage(json.dumps(case["usage"]).encode())
    assert quick is None or quick == openai.read(case["usage"])


def test_the_page_shows_every_convention_with_its_file() -> None:
    shown = set(re.findall(r"`([a-z0-9-]+)`", PAGE.split("<!-- conventions -->")[1].split("<!-- end -->")[0]))
    assert shown >= {name for name in NAMES if not name.startswith("unbelievable-")}


@pytest.mark.parametrize("name", [*openai.CACHE_READ, *openai.CACHE_WRITTEN])
def test_the_cache_is_found_by_every_name(name: str) -> None:
    beside = openai.read({"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72, name: 40})
    is_read = name in openai.CACHE_READ
    assert beside == Usage(input=20, output=12, cache_read=40 * is_read, cache_write_5m=40 * (not is_read))


@pytest.mark.parametrize("name", [*openai.CACHE_READ_IN_DETAILS, *openai.CACHE_WRITTEN_IN_DETAILS])
def test_the_cache_is_found_by_every_name_in_details(name: str) -> None:
    within = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72, "prompt_tokens_details": {name: 40}}
    is_read = name in openai.CACHE_READ_IN_DETAILS
    assert openai.read(within) == Usage(input=20, output=12, cache_read=40 * is_read, cache_write_5m=40 * (not is_read))


def test_what_cannot_be_true_is_not_believed_by_any_reader() -> None:
    figures: list[object] = [-1, 1.5, True, "1", 2**31 + 1, [], {}]
    for bad in figures:
        assert openai.read({"prompt_tokens": bad, "completion_tokens": 1}) is None
        assert openai.read({"prompt_tokens": 9, "completion_tokens": 1, "cached_tokens": bad}) is None
        assert anthropic.read({"input_tokens": bad, "output_tokens": 1}) is None
        assert anthropic.read({"input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": bad}) is None
        assert gemini.read({"promptTokenCount": bad, "candidatesTokenCount": 1}) is None
        assert gemini.read({"promptTokenCount": 1, "thoughtsTokenCount": bad}) is None
    reports: list[object] = [None, {}, [], "usage", 7, {"total_tokens": 9}, {"totalTokenCount": 9}]
    for nothing in reports:
        assert openai.read(nothing) is anthropic.read(nothing) is gemini.read(nothing) is None


class TestAnthropicInPieces:
    def test_totals_so_far_replace_each_other(self) -> None:
        start = {"input_tokens": 21, "cache_read_input_tokens": 8, "output_tokens": 1}
        end = anthropic.merged(anthropic.merged(start, {"output_tokens": 5}), {"output_tokens": 41})
        assert anthropic.read(end) == Usage(input=21, cache_read=8, output=41)

    def test_an_input_that_is_told_only_at_the_end(self) -> None:
        """U07"""
        start = {"input_tokens": 0, "output_tokens": 1}
        end = {"input_tokens": 730, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 0}
        merged = anthropic.merged(start, {**end, "output_tokens": 41})
        assert anthropic.read(merged) == Usage(input=730, cache_read=200, output=41)

    def test_zeros_at_the_end_take_nothing_back(self) -> None:
        start = {"input_tokens": 21, "cache_creation": {"ephemeral_1h_input_tokens": 9}, "output_tokens": 1}
        zeros = {"input_tokens": 0, "cache_creation": {"ephemeral_1h_input_tokens": 0}, "output_tokens": 41}
        assert anthropic.read(anthropic.merged(start, zeros)) == Usage(input=21, cache_write_1h=9, output=41)


def test_gemini_repeats_its_counts_and_the_last_one_holds() -> None:
    """P32"""
    events = [(3, None), (9, 14), (21, 14)]
    usages = [
        gemini.read({"promptTokenCount": 40, "candidatesTokenCount": said, "thoughtsTokenCount": thought})
        for said, thought in events
    ]
    assert usages[-1] == Usage(input=40, output=21, reasoning=14)
