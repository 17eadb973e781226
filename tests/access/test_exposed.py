"""A key is found wherever it stands in a text, whoever made it and however it was pasted, and never kept."""

import random
import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.access.exposed import REDACTED, exposed_in_address, key_in, keys_in, without_keys
from tollhouse.access.secrets import mint
from tollhouse.core.failure import BadRequest
from tollhouse.services import fields

KEY = mint("live", bytes(range(32)))
LONG = "".join(random.Random(4).choices(string.ascii_letters + string.digits, k=60))
FULL_WIDTH = KEY.translate({ord(letter): chr(ord(letter) + 0xFEE0) for letter in string.printable[:94]})

OURS = (
    KEY,
    mint("test", bytes(range(32))),
    mint("admin", bytes(range(32))),
    KEY[:-6],
    f"Bearer {KEY}",
    f"key={KEY}",
    f"'{KEY}'",
    f"https://h/?key={KEY}&x=1",
    KEY.replace("-", "\u2011"),
    KEY.replace("-", "\u2013"),
    KEY.replace("-", "\u2212"),
    KEY[:20] + "\u200b" + KEY[20:],
    KEY[:9] + "\u00ad" + KEY[9:],
    "\ufeff" + KEY,
    FULL_WIDTH,
)
THEIRS = (
    (f"sk-ant-api03-{LONG}", "Anthropic"),
    (f"sk-or-v1-{LONG}", "OpenRouter"),
    (f"sk-proj-{LONG}", "OpenAI"),
    (f"sk-svcacct-{LONG}", "OpenAI"),
    (f"sk-{LONG[:48]}", "another service"),
    (f"AIza{LONG[:35]}", "Google"),
    (f"gsk_{LONG}", "Groq"),
    (f"xai-{LONG}", "xAI"),
    (f"pplx-{LONG}", "Perplexity"),
    (f"hf_{LONG[:34]}", "Hugging Face"),
    (f"nvapi-{LONG}", "NVIDIA"),
    (f"r8_{LONG[:37]}", "Replicate"),
    (f"ghp_{LONG[:36]}", "GitHub"),
    (f"AKIA{'A1B2C3D4E5F6G7H8'}", "AWS"),
    (f"fw_{LONG[:24]}", "Fireworks"),
    (f"sk_live_{LONG[:24]}", "another service"),
    (f"whsec_{LONG[:40]}", "another service"),
    (f"eyJ{LONG[:20]}.eyJ{LONG[20:50]}.{LONG[:12]}", "another service"),
)
HARMLESS = (
    *("main", "sk-th-live-", "sk-th-live-abcd", "my sk-proj key", "sk-learn", "sk-or", "team=a", "gpt-4o", "AKIA"),
    *("gsk_", "hf_model", "eyJ", "a" * 200, "claude-3-5-sonnet-20241022", "risk-assessment-2026", "task-1234567890"),
    *("desk-" + "a1" * 10, "\u7a0e\u95a2", "550e8400-e29b-41d4-a716-446655440000"),
)


@pytest.mark.parametrize("text", OURS)
def test_a_key_of_ours_is_one_however_it_was_pasted(text: str) -> None:
    assert key_in(text) == key_in(f"my key {text} of May") == "this platform"
    assert REDACTED in without_keys(text)
    assert key_in(without_keys(f"a {text} b")) is None


@pytest.mark.parametrize(("text", "vendor"), THEIRS)
def test_a_key_of_a_vendor_is_one_too(text: str, vendor: str) -> None:
    assert key_in(f"prod:{text}") == vendor
    assert without_keys(f"prod:{text}") == f"prod:{REDACTED}"


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_key_stays(text: str) -> None:
    assert key_in(text) is None
    assert without_keys(text) == text


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    assert key_in(without_keys(text)) is None


FIELDS: tuple[Callable[[str], object], ...] = (
    fields.name,
    fields.reason,
    fields.pattern,
    lambda text: fields.groups([text]),
    lambda text: fields.models([text]),
    lambda text: fields.tags({"team": text}),
    lambda text: fields.tags({text: "a"}),
    lambda text: fields.email(f"{text}@example.com"),
)


@pytest.mark.parametrize("field", FIELDS)
def test_no_field_takes_a_key_and_the_refusal_offers_to_rotate(field: Callable[[str], object]) -> None:
    with pytest.raises(BadRequest, match="tollhouse keys rotate") as refused:
        field(KEY)
    assert KEY[11:] not in refused.value.message
    with pytest.raises(BadRequest, match="an API key of Anthropic stands in it"):
        field(f"sk-ant-api03-{LONG[:40]}")


def test_keys_of_a_text_are_told_each_once() -> None:
    theirs = f"sk-ant-api03-{LONG}"
    assert keys_in(f"{theirs}, {KEY} and {FULL_WIDTH} again") == (KEY, theirs)
    assert keys_in("no key") == ()


def test_a_key_in_an_address_is_found_however_it_is_encoded_and_a_web_token_is_the_receivers() -> None:
    token = f"eyJ{LONG}.eyJ{LONG}.{LONG}"
    assert exposed_in_address(f"https://h/?key={KEY}") is not None
    assert exposed_in_address(f"https://h/?key={KEY.replace('-', '%2D')}") is not None
    assert exposed_in_address(f"https://h/hook?token={token}") is None
