"""A provider's words reach a caller without the provider's keys and addresses."""

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tollhouse.core.cleaning import CHARACTERS_MAX, clean

WORDS = re.compile(r"[A-Z][a-z]{3,}")
ALNUM = string.ascii_letters + string.digits
KEYS = st.one_of(
    st.builds(
        lambda prefix, rest: prefix + rest,
        st.sampled_from(["sk-", "sk-proj-", "sk-ant-api03-", "gsk_", "xai-", "hf_", "AIza", "nvapi-", "pplx-"]),
        st.text(ALNUM, min_size=12, max_size=80),
    ),
    st.builds(lambda letters: f"{letters}a1", st.text(ALNUM, min_size=20, max_size=60)).filter(
        lambda key: 3 * sum(map(len, WORDS.findall(key))) <= 2 * len(key)  # else it reads like the name of a class
    ),
    st.uuids().map(str),
)
LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12)
HOSTS = st.builds(
    lambda labels, top, port: ".".join([*labels, top]) + port,
    st.lists(LABELS, min_size=1, max_size=4),
    st.sampled_from(["com", "example", "internal", "local", "svc", "rack7", "ai", "COM"]),
    st.sampled_from(["", ":8000", ":443", "."]),
)
ADDRESSES = st.one_of(
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]:8000"),
    st.ip_addresses(v=6).map(lambda address: address.exploded),
    st.ip_addresses(v=4).map(lambda address: f"::ffff:{address}"),
    st.ip_addresses(v=4).map(lambda address: f"{address}:8000"),
    HOSTS,
    HOSTS.map(lambda host: f"https://{host}/v1/x?key=y"),
    LABELS.map(lambda label: f"tcp://node{label}"),
    LABELS.map(lambda label: f"node{label}:11434"),
)
AROUND = st.sampled_from(["", " ", "'", '"', "`", "(", "=", ", ", ": ", "\n", "/", "<"])


@given(KEYS, AROUND, AROUND)
@example("0AAAAAAaaaAaaaaAaaaaa1", "", "")
def test_no_key_survives(key: str, before: str, after: str) -> None:
    assert key not in clean(f"It failed{before or ' '}{key}{after or ' '} badly")


@given(ADDRESSES, AROUND, AROUND)
def test_no_host_and_no_address_survives(address: str, before: str, after: str) -> None:
    cleaned = clean(f"It failed{before or ' '}{address}{after or ' '} badly")
    assert address.rstrip(".") not in cleaned


@given(st.lists(st.one_of(KEYS, ADDRESSES), min_size=1, max_size=300), st.sampled_from([" ", ", ", "\n"]))
def test_nothing_survives_at_the_place_where_a_long_text_is_cut(secrets: list[str], between: str) -> None:
    cleaned = clean(between.join(secrets))
    assert len(cleaned) <= CHARACTERS_MAX
    words = cleaned.replace("[removed]", " ").split()
    assert all(len(word) < 12 for word in words), words


@given(st.text(max_size=3_000))
def test_what_remains_is_one_short_printable_line(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= CHARACTERS_MAX
    assert not set(cleaned) & set("\n\r\t\x00\x7f\u2028\u202e")
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("see https://api.provider.example/docs?x=1 now", "see [removed] now"),
        ("connect to vllm:8000 failed", "connect to [removed] failed"),
        ("connect to localhost failed", "connect to [removed] failed"),
        ("Authorization: Bearer abc was wrong", "Authorization: [removed] was wrong"),
        ("torch.cuda.OutOfMemoryError on gpu-7.internal.example", "torch.cuda.OutOfMemoryError on [removed]"),
        ("mail ops@provider.example", "mail [removed]"),
        ("at 12:34:56 it was 3.5 of 4.0", "at 12:34:56 it was 3.5 of 4.0"),
        ("use gpt-4.1-mini or llama3.2-1b", "use gpt-4.1-mini or llama3.2-1b"),
        ("field messages.0.content.1.image_url.url", "field messages.0.content.1.image_url.url"),
        ("two\r\n  lines\ttabbed", "two lines tabbed"),
        ("<html><body>x</body></html>", ""),
        ("502 <center><h1>Bad Gateway</h1></center> nginx", ""),
    ],
)
def test_the_reason_stays(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
