"""Finding the key of a request: every carrier, several at once, and what is said when it is wrong."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.access.credentials import CARRIERS, present
from tollhouse.access.secrets import digest, mint
from tollhouse.core.failure import BadRequest, Failure, KeyRefused

KEY = mint("live", bytes(range(32)))
OTHER = mint("live", bytes(range(1, 33)))
IMPORTED = "sk-imported-from-elsewhere-0123456789"

Headers = list[tuple[bytes, bytes]]


def knows_only_imported(seen: bytes) -> bool:
    return seen == digest(IMPORTED)


def found(headers: Headers, query: bytes = b"", gemini: bool = False) -> str:
    return present(headers, query, gemini, knows_only_imported).text


def refused(headers: Headers, query: bytes = b"", gemini: bool = False) -> str:
    with pytest.raises(KeyRefused) as caught:
        present(headers, query, gemini, knows_only_imported)
    return caught.value.message


def bearer(text: str) -> Headers:
    return [(b"accept", b"*/*"), (b"authorization", text.encode("utf-8"))]


@pytest.mark.parametrize(
    "sent",
    [
        "Bearer {}",
        "bearer {}",
        "BEARER {}",
        "bEaReR {}",
        "Bearer  {}",
        "Bearer\t{}",
        "Bearer \t {}",
        "{}",
        "Bearer {}  ",
    ],
)
def test_a_valid_key_is_read_however_the_scheme_is_written(sent: str) -> None:
    assert found(bearer(sent.format(KEY))) == KEY
    assert found(bearer(sent.format(IMPORTED))) == IMPORTED


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ('Bearer "{}"', "quotes"),
        ("Bearer '{}'", "quotes"),
        ("Bearer `{}`", "quotes"),
        ('"Bearer {}"', "quotes"),
        ("Bearer “{}”", "not ASCII"),
        ("Bearer Bearer {}", "twice"),
        ("Bearer bearer\t{}", "twice"),
        ("Bearer {},{}", "comma"),
        ("Bearer {}, Bearer {}", "comma"),
        ("Bearer {} {}", "white space inside"),
        ("Bearer: {}", "colon"),
        ("Bearer{}", "no blank"),
        ("Basic {}", "`Basic`"),
        ("Token {}", "`Token`"),
        ("Bearer {}\u00a0", "not ASCII"),
        ("Bearer {}\u200b", "not ASCII"),
        ("Bearer {}\x00", "control character"),
        ("Bearer", "empty"),
        ("Bearer   ", "empty"),
        ("", "empty"),
    ],
)
def test_a_wrong_key_is_refused_and_the_message_says_what_is_odd(sent: str, said: str) -> None:
    message = refused(bearer(sent.replace("{}", KEY)))
    assert said in message
    assert "authorization" in message
    assert KEY not in message
    assert KEY[11:] not in message


def test_basic_authentication_is_named_and_its_content_not_repeated() -> None:
    encoded = base64.b64encode(f"{KEY}:".encode()).decode()
    message = refused(bearer(f"Basic {encoded}"))
    assert "`Basic`" in message
    assert encoded not in message


@pytest.mark.parametrize("carrier", [name for name in CARRIERS if name != b"authorization"])
def test_every_other_header_takes_the_bare_key(carrier: bytes) -> None:
    assert found([(carrier, KEY.encode())]) == KEY
    assert found([(carrier, b" " + KEY.encode() + b"\t")]) == KEY
    assert "`Bearer`" in refused([(carrier, b"Bearer " + KEY.encode())])


def test_the_query_is_read_on_gemini_paths_only() -> None:
    assert found([], b"alt=sse&key=" + KEY.encode(), gemini=True) == KEY
    assert found([], b"key=%73k" + KEY[2:].encode() + b"&alt=sse", gemini=True) == KEY
    message = refused([], b"key=" + KEY.encode())
    assert "Gemini" in message
    assert KEY not in message
    assert "No API key" in refused([], b"monkey=" + KEY.encode(), gemini=True)
    assert found(bearer(f"Bearer {KEY}"), b"key=" + OTHER.encode()) == KEY


def test_without_any_carrier_the_message_says_where_a_key_belongs() -> None:
    message = refused([(b"host", b"toll.example"), (b"cookie", b"key=" + KEY.encode())])
    for name in ("Authorization: Bearer", "x-api-key", "api-key", "x-goog-api-key"):
        assert name in message


def test_of_several_carriers_the_one_with_a_key_of_ours_is_used() -> None:
    foreign = (b"x-api-key", b"sk-ant-api03-left-over")
    assert found([foreign, *bearer(f"Bearer {KEY}")]) == KEY
    assert found([foreign, *bearer(f"Bearer {IMPORTED}")]) == IMPORTED
    assert found([(b"x-api-key", b""), *bearer(f"Bearer {KEY}")]) == KEY
    assert found([(b"x-api-key", b'"quoted"'), *bearer(f"Bearer {KEY}")]) == KEY
    assert found([(b"x-goog-api-key", KEY.encode())], b"key=" + KEY.encode(), gemini=True) == KEY
    assert found([(b"x-goog-api-key", KEY.encode()), *bearer("Bearer AIza-someone-elses")]) == KEY


@pytest.mark.parametrize("second", [OTHER, IMPORTED])
def test_two_different_keys_of_ours_are_refused_by_the_names_of_both_headers(second: str) -> None:
    with pytest.raises(BadRequest) as caught:
        found([(b"x-api-key", second.encode()), *bearer(f"Bearer {KEY}")])
    assert "`x-api-key`" in caught.value.message
    assert "`authorization`" in caught.value.message
    assert "ANTHROPIC_API_KEY" in caught.value.message
    assert KEY not in caught.value.message
    assert second not in caught.value.message


def test_the_same_header_twice_counts_as_two_carriers() -> None:
    assert found([*bearer(f"Bearer {KEY}"), *bearer(f"Bearer {KEY}")]) == KEY
    with pytest.raises(BadRequest):
        found([*bearer(f"Bearer {KEY}"), *bearer(f"Bearer {OTHER}")])


def test_several_carriers_without_a_key_of_ours_are_each_described() -> None:
    message = refused([(b"x-api-key", b"sk-ant-api03-canary"), (b"api-key", b"$KEY_canary"), *bearer("Basic canary")])
    assert "Anthropic" in message
    assert "placeholder" in message
    assert "`Basic`" in message
    assert "canary" not in message


def outcome(headers: Headers, query: bytes, gemini: bool) -> str | Failure:
    try:
        return found(headers, query, gemini)
    except Failure as failure:
        return failure


SHAPES = (
    *(f"Bearer {KEY}", KEY, f'"{KEY}"', f"Bearer Bearer {KEY}", KEY[:-1], KEY + "x", f"{KEY},{KEY}", f"Basic {KEY}"),
    *(f"Bearer  {OTHER}", OTHER, f"{KEY} {OTHER}", f"{KEY}\u00e9", f"${KEY}", f"Token {KEY}", f"Bearer: {KEY}"),
    *("", "Bearer", "YOUR_KEY", KEY.lower(), f"Bearer\t{OTHER[:-6]}", f"{OTHER}\x00", f"\u201c{OTHER}\u201d"),
)
QUERIES = (b"", b"key=" + KEY.encode(), b"key=%22" + KEY.encode(), b"key=" + OTHER.encode(), b"key=&key=" + b"x" * 60)


@given(
    st.lists(st.tuples(st.sampled_from(CARRIERS), st.sampled_from(SHAPES).map(str.encode)), max_size=4),
    st.sampled_from(QUERIES),
    st.booleans(),
)
def test_no_failing_shape_repeats_any_part_of_a_key(headers: Headers, query: bytes, gemini: bool) -> None:
    got = outcome(headers, query, gemini)
    if isinstance(got, Failure):
        assert isinstance(got, KeyRefused | BadRequest)
        for secret in (KEY, OTHER):
            parts = [secret[at : at + 6] for at in range(len("sk-th-live-"), len(secret) - 6)]
            assert not any(part in got.message for part in parts)


@given(st.lists(st.tuples(st.sampled_from(CARRIERS), st.binary(max_size=200)), max_size=5), st.binary(), st.booleans())
def test_whatever_bytes_arrive_there_is_an_answer(headers: Headers, query: bytes, gemini: bool) -> None:
    got = outcome(headers, query, gemini)
    said = got.message if isinstance(got, Failure) else got
    assert said.isascii()
    assert said.isprintable()


@pytest.mark.parametrize("gemini", [True, False])
def test_a_query_of_thousands_of_keys_is_refused_unread(gemini: bool) -> None:
    with pytest.raises(BadRequest, match="more than 50 parameters"):
        present([], b"key=a&" * 2_700, gemini, lambda digest: False)
