"""The rules of the code, applied to every file of the platform."""

from collections.abc import Iterable, Iterator

import pytest

from tests.tidy import behaviour, honesty, shape
from tests.tidy.exceptions import ALLOWED
from tests.tidy.source import ROOT, Finding, Rule, Source, sources

EVERYWHERE = ("src", "tests", "bench", "scripts")
PLAN: tuple[tuple[tuple[str, ...], tuple[Rule, ...]], ...] = (
    (EVERYWHERE, (shape.long_file, shape.long_function, shape.empty_name)),
    (
        ("src",),
        (
            shape.undocumented_package,
            shape.hidden_import,
            behaviour.swallowed,
            behaviour.kept_state,
            behaviour.ambient,
            behaviour.money_as_float,
        ),
    ),
    (("tests",), (honesty.not_run, honesty.cannot_fail, honesty.patched, honesty.waits_blindly)),
    (("src/tollhouse/core",), (shape.core_needs_more,)),
)


def _expect_none(findings: Iterable[Finding]) -> None:
    lines = [str(finding) for finding in findings]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def _broken(rule: Rule, files: tuple[Source, ...]) -> Iterator[Finding]:
    """What breaks a rule without being allowed to, and what is allowed to and breaks it no longer."""
    found = [finding for file in files for finding in rule(file)]
    allowed = ALLOWED.get(rule.__name__, {})
    yield from (finding for finding in found if finding.where not in allowed)
    for where in sorted(set(allowed) - {finding.where for finding in found}):
        yield Finding(where, 1, f"needs no exception from {rule.__name__} any longer: remove it")


def test_the_code_keeps_its_rules() -> None:
    _expect_none(finding for folders, rules in PLAN for rule in rules for finding in _broken(rule, sources(*folders)))


def test_every_exception_belongs_to_a_rule_and_carries_a_reason() -> None:
    assert set(ALLOWED) <= {rule.__name__ for _, rules in PLAN for rule in rules}
    assert all(len(reason.split()) >= 4 for entries in ALLOWED.values() for reason in entries.values())


def _texts() -> Iterator[tuple[str, str]]:
    """Everything people wrote: code, documents, scripts; not the lock file, which is a machine's, and no pictures."""
    folders = ("src", "tests", "bench", "scripts", "docs", ".ci", ".github", ".devcontainer")
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*")) if file.is_file()]
    tops = [*ROOT.glob("*.md"), *(ROOT / name for name in ("Makefile", "pyproject.toml", ".importlinter"))]
    for file in [*files, *tops]:
        path = file.relative_to(ROOT)
        if not {"__pycache__", "out"} & set(path.parts) and path.suffix != ".png":
            yield path.as_posix(), file.read_text(encoding="utf-8", errors="replace")


def test_nothing_is_left_unfinished() -> None:
    _expect_none(finding for path, text in _texts() for finding in honesty.unfinished(path, text))


def test_no_secret_and_no_trace_of_a_machine_is_committed() -> None:
    _expect_none(finding for path, text in _texts() for finding in honesty.leaked(path, text))
