"""Measure the counters on the samples of the tests, and write the table into docs/tokens.md between its two marks.

The references were counted once, with the vocabularies that docs/tokens.md names; the vocabularies themselves are no
part of this project, their counts are: tests/tokens/reference.json.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from tollhouse.tokens.estimator import Estimator
from tollhouse.tokens.tokenizer import Tokenizer

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "tokens.md"
SAMPLES = ROOT / "tests" / "tokens" / "samples"
REFERENCE = ROOT / "tests" / "tokens" / "reference.json"

GROUPS = ("english", "chinese", "code", "other")
MODELS = {"o200k_base": "gpt-4o", "cl100k_base": "gpt-4"}  # every other family's name is a model of it
_BEGIN, _END = "<!-- written by scripts/measure_tokens.py -->\n", "<!-- end -->\n"


def group_of(sample: str) -> str:
    group = sample.partition("_")[0]
    return group if group in GROUPS else "other"


def samples() -> dict[str, str]:
    return {file.stem: file.read_text(encoding="utf-8") for file in sorted(SAMPLES.glob("*.txt"))}


def errors() -> dict[str, dict[str, float]]:
    """Family -> sample -> how far our count is from the reference, as a part of it."""
    reference: dict[str, dict[str, int]] = json.loads(REFERENCE.read_text(encoding="utf-8"))
    counter, texts = Tokenizer(), samples()
    families = next(iter(reference.values()))
    return {
        family: {
            name: counter.count(text, MODELS.get(family, family)) / reference[name][family] - 1
            for name, text in texts.items()
        }
        for family in families
    }


def table() -> str:
    lines = [f"| counter | {' | '.join(GROUPS)} |", f"|---|{'---|' * len(GROUPS)}"]
    for family, by_sample in errors().items():
        cells = []
        for group in GROUPS:
            found = [error for name, error in by_sample.items() if group_of(name) == group]
            low, high = f"{min(found):+.0%}", f"{max(found):+.0%}"
            cells.append("exact" if set(found) == {0.0} else f"{low} to {high}")
        lines.append(f"| `{family}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with its table as measured now."""
    before, rest = text.split(_BEGIN)
    return before + _BEGIN + "\n" + table() + "\n" + _END + rest.split(_END)[1]


def timings() -> Iterator[str]:
    """CPU microseconds to count 1 kB, the least of several tries: differs by machine, so the page is not made of it."""
    for counter, model in ((Tokenizer(), "gpt-4o"), (Tokenizer(), "gpt-4"), (Estimator(), "claude")):
        for name in ("english_prose", "chinese_prose", "code_python"):
            text = samples()[name].encode()[:1024].decode(errors="ignore")
            counter.count(text, model)
            tries = []
            for _ in range(20):
                begin = time.process_time_ns()
                for _ in range(20):
                    counter.count(text, model)
                tries.append((time.process_time_ns() - begin) / 20_000)
            yield f"{model} {name}: {min(tries):.0f} us"


def main() -> None:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(*timings(), sep="\n")


if __name__ == "__main__":
    main()
