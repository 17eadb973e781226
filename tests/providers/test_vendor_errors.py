"""What vendors with words of their own answer, as they document it or people reported it, and what comes of it."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw, Struct, structs

from tollhouse.core.error_report import read_report
from tollhouse.core.failure import Failure
from tollhouse.core.operation import Operation
from tollhouse.providers import aws_errors, google_errors, kinds, preset_errors
from tollhouse.providers.error_rules import REQUESTS, ErrorRule, Meaning, reader, rule
from tollhouse.providers.openai_errors import read_compatible_error

FOLDER = Path(__file__).parent / "errors"
CALLERS = "zq7 the caller's own words 7qz"


class VendorError(Struct, frozen=True, kw_only=True):
    """A line of errors/KIND.jsonl. `source`: the vendor's documentation, or a public report of it."""

    form: str
    source: str
    status: int
    body: Raw
    failure: str  # a class of `core.failure`: it tells a refused key from an empty account
    code: str
    blame: str
    param: str | None = None
    headers: dict[str, str] = {}
    retry_after_ms: int | None = None
    operation: Operation = "chat"


def _errors() -> list[tuple[str, VendorError]]:
    decoder = msgspec.json.Decoder(VendorError)
    files = sorted(FOLDER.glob("*.jsonl"))
    return [(file.stem, one) for file in files for one in decoder.decode_lines(file.read_bytes())]


@pytest.mark.parametrize(("kind", "error"), _errors(), ids=lambda one: one if isinstance(one, str) else one.form)
def test_every_vendors_error_has_its_row_and_its_blame(kind: str, error: VendorError) -> None:
    headers = [(name.encode(), value.encode()) for name, value in error.headers.items()]
    body = bytes(error.body)
    body = msgspec.json.decode(body).encode() if body.startswith(b'"') else body
    fault = kinds()[kind].read_error(error.operation, error.status, headers, body)
    assert (fault.failure.code, fault.blame, fault.failure.param) == (error.code, error.blame, error.param)
    assert type(fault.failure).__name__ == error.failure
    assert fault.retry_after_ms == error.retry_after_ms
    assert fault.failure.message
    assert "<html" not in fault.failure.message
    if fault.blame in ("key", "model") and error.code == "upstream_error":
        assert fault.words.startswith(f"HTTP {error.status}"), "the operator reads the status that came"


_PACKAGE = "tollhouse.providers"


def _of_files() -> dict[str, tuple[ErrorRule, ...]]:
    """The `RULES` of kinds that are files of their own."""
    files = {kind: import_module(f"{_PACKAGE}.{kind}") for kind in kinds() if find_spec(f"{_PACKAGE}.{kind}")}
    return {kind: module.RULES for kind, module in files.items() if hasattr(module, "RULES")}


RULES: dict[str, tuple[ErrorRule, ...]] = {
    **preset_errors.RULES,
    **_of_files(),
    "bedrock": aws_errors.BEDROCK,
    "gemini": google_errors.RULES,
}


@pytest.mark.parametrize("kind", RULES)
def test_every_rule_and_every_word_of_it_reads_an_error_that_would_else_be_read_otherwise(kind: str) -> None:
    """Only what differs stands in a table, and only what somebody has seen the vendor write."""
    needed: set[int] = set()
    words: set[str] = set()
    for name, error in _errors():
        if name != kind and (kind, name) != ("vertex", "gemini"):
            continue
        report = read_report(bytes(error.body))
        said = error.headers.get("x-amzn-errortype", "").partition(":")[0].lower()
        report = structs.replace(report, words=report.words | {said})
        words |= report.words
        fitting = next((at for at, one in enumerate(RULES[kind]) if one.fits(error.status, report)), None)
        plain = read_compatible_error("chat", error.status, [], bytes(error.body))
        if fitting is not None and (type(plain.failure).__name__, plain.blame) != (error.failure, error.blame):
            needed.add(fitting)
    assert [one for at, one in enumerate(RULES[kind]) if at not in needed] == []
    assert {word for one in RULES[kind] for word in one.words} <= words


def test_every_file_is_of_a_kind_and_tells_sources() -> None:
    assert {file.stem for file in FOLDER.glob("*.jsonl")} <= set(kinds())
    assert all(error.form and error.source for _, error in _errors())


MEANINGS: tuple[Meaning, ...] = (
    *("bad_key", "no_permission", "empty_account", "saturated", "overloaded", "timeout", "broken", "no_such_model"),
    *("too_large", "too_long", "policy", "bad_request"),
)


@pytest.mark.parametrize("means", MEANINGS)
def test_a_rule_decides_by_word_sentence_and_status_together(means: Meaning) -> None:
    read = reader(rule(means, "house_7", says="no way", status=(400, 418)))
    body = b'{"error":{"message":"No way, %s","code":"house_7"}}'
    plain = reader()("chat", 418, [], body % b"x").failure
    assert type(plain).__name__ == "BadRequest"
    found = read("chat", 418, [], body % b"x")
    assert (found.blame == "request") is (means in REQUESTS)
    for status, changed in (
        (422, body),
        (418, body.replace(b"house_7", b"house_8")),
        (418, b'{"error":"Why not? No way"}'),
    ):
        other = read("chat", status, [], changed.replace(b"%s", b"x")).failure
        assert (type(other), other.code) == (type(plain), plain.code)


def test_callers_words_further_behind_blame_no_key() -> None:
    read = reader(rule("bad_key", says="your key is gone"))
    assert read("chat", 400, [], b'{"message":"Your key is gone."}').blame == "key"
    assert read("chat", 400, [], b'{"message":"bad name: your key is gone"}').blame == "request"


def test_a_rule_keeps_reason_field_and_members() -> None:
    read = reader(rule("bad_request", "odd"), param=re.compile(r"([a-z.]+): "))
    body = (
        b'{"error":{"message":"tools.name: no such","code":"odd","failed_generation":"<x>","type":"tool_use_failed"}}'
    )
    failure: Failure = read("chat", 403, [], body).failure
    assert (failure.code, failure.param, failure.message) == (
        "invalid_request_error",
        "tools.name",
        "tools.name: no such",
    )
    assert failure.original is not None
    assert failure.original.members == {"failed_generation": "<x>"}


def test_a_rule_says_who_told_of_it() -> None:
    assert rule("policy", "x", source="docs") == ErrorRule("policy", frozenset({"x"}), source="docs")
