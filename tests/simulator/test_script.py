"""Scripts of test calls: every word, every code of the error table, and what is no word."""

import pytest

from tollhouse.core.failure import BadRequest, EncodingUnknown, Failure, every_failure
from tollhouse.upstream.simulator.script import Script, failures, parse

CONTRACT_CODES = (
    *("invalid_api_key", "model_not_allowed", "ip_not_allowed", "account_suspended", "key_frozen", "scope_missing"),
    *("invalid_request_error", "context_length_exceeded", "unsupported_parameter", "max_cost_exceeded"),
    *("model_not_found", "not_found", "method_not_allowed", "upgrade_required", "request_too_large"),
    *("headers_too_large", "request_timeout"),
    *("rate_limit_exceeded", "insufficient_quota", "model_not_priced", "upstream_error", "upstream_timeout"),
    *("overloaded", "server_error"),
)


def test_every_word_is_read() -> None:
    text = (
        "status=503, times=2,first_byte_ms=3000, chunk_ms=50,cut_after=20,malformed,no_usage,tokens=500,tool=get_toll"
    )
    assert parse(text) == Script(
        text=text,
        status=503,
        times=2,
        first_byte_ms=3000,
        chunk_ms=50,
        cut_after=20,
        malformed=True,
        no_usage=True,
        tokens=500,
        tool="get_toll",
    )


@pytest.mark.parametrize("text", ["", " ", ",", " , ,"])
def test_an_empty_script_asks_for_nothing(text: str) -> None:
    assert parse(text) == Script(text=text.strip())
    assert parse(text).failure() is None


@pytest.mark.parametrize("code", CONTRACT_CODES)
def test_every_code_of_the_contract_can_be_asked_for_and_comes_as_its_row(code: str) -> None:
    failure = parse(f"error={code}").failure()
    assert failure is not None
    assert failure.code == code
    assert code in failure.message
    waits = failure.status in (429, 503) and code != "insufficient_quota"
    assert (failure.retry_after_ms is not None) == waits


@pytest.mark.parametrize(
    "kind",
    [kind for kind in every_failure() if kind.__module__ == Failure.__module__ and kind is not EncodingUnknown],
)
def test_every_failure_of_the_house_is_reproduced_by_its_code(kind: type[Failure]) -> None:
    failure = parse(f"error={kind.code}").failure()
    assert failure is not None
    rows = [
        (row.code, row.status, row.openai_type, row.anthropic_type, row.anthropic_status, row.gemini_status)
        for row in (kind, type(failure))
    ]
    assert rows[0] == rows[1]


def test_of_failures_that_share_a_code_the_general_one_is_raised() -> None:
    assert {kind.__name__ for kind in failures().values()}.isdisjoint(
        {"EncodingUnknown", "UpstreamSaturated", "UpstreamUnreachable", "UpstreamBroke", "UpstreamRefusedKey"}
    )


def test_headers_that_belong_to_a_row_come_with_it() -> None:
    failure = parse("error=method_not_allowed").failure()
    assert failure is not None
    assert failure.headers == ((b"allow", b"POST"),)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("eror=overloaded", "'eror' is no word of a script; the nearest is 'error'"),
        ("statuz", "'statuz' is no word"),
        ("=5", "'' is no word"),
        ("x" * 500, "xxx...' is no word"),
        ("error", "'error' needs a value"),
        ("error=", "'error' needs a value"),
        ("error=over_loaded", "'over_loaded' is no error code; the nearest is 'overloaded'"),
        ("status=503,status=503", "'status' stands there twice"),
        ("error=overloaded,status=503", "exclude each other"),
        ("status=199", "'status' is a whole number from 200 to 599, not '199'"),
        ("status=600", "'status'"),
        ("status=five", "not 'five'"),
        ("status=-1", "not '-1'"),
        ("status=5e2", "not '5e2'"),
        ("status=５０３", "'status'"),
        ("times=0", "'times' is a whole number from 1 to 100"),
        ("times=101", "'times'"),
        ("first_byte_ms=600001", "'first_byte_ms'"),
        ("chunk_ms=60001", "'chunk_ms'"),
        ("cut_after=9999999999", "'cut_after'"),
        ("tokens=100001", "'tokens'"),
        ("," * 501, "501 characters"),
        ("tool=a b", "cannot be a tool's name"),
        ("tool=" + "x" * 65, "cannot be a tool's name"),
        ("malformed=1", "'malformed' takes no value"),
        ("no_usage=", "'no_usage' takes no value"),
    ],
)
def test_what_is_not_understood_is_a_400_that_names_it(text: str, named: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(text)
    assert named in refused.value.message
    assert len(refused.value.message) < 300


def test_after_its_times_a_fault_is_gone_and_the_rest_stays() -> None:
    script = parse("status=503,times=2,first_byte_ms=9,chunk_ms=5,cut_after=1,malformed,no_usage,tokens=7,tool=t")
    assert script.without_faults() == Script(text=script.text, times=2, chunk_ms=5, tokens=7, tool="t")
