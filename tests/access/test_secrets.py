"""A secret's form: told from a mistyped one by its checksum, and never taken for another vendor's key."""

import random
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.access import secrets
from tollhouse.core.account import KeyMode

MODES: list[KeyMode] = ["live", "test", "admin"]
minted = st.builds(secrets.mint, st.sampled_from(MODES), st.binary(min_size=32, max_size=32))


@pytest.mark.parametrize("mode", MODES)
def test_a_secret_has_the_form_of_the_contract(mode: KeyMode) -> None:
    text = secrets.mint(mode, bytes(range(32)))
    assert re.fullmatch(rf"sk-th-{mode}-[0-9A-Za-z]{{43}}[0-9A-Za-z]{{6}}", text)
    assert secrets.parse(text) == "ours"
    assert secrets.mode_of(text) == mode
    assert secrets.prefix_of(text) == f"sk-th-{mode}-"
    assert secrets.last4(text) == text[-4:]


def test_a_secret_of_today_is_accepted_by_every_later_version() -> None:
    assert secrets.mint("live", bytes(range(32))) == "sk-th-live-" + "003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1MK7Eh"


@pytest.mark.parametrize("extreme", [b"\x00" * 32, b"\xff" * 32])
def test_the_extremes_of_randomness_fit_the_length(extreme: bytes) -> None:
    assert secrets.parse(secrets.mint("live", extreme)) == "ours"


@pytest.mark.parametrize("count", [0, 16, 31, 33])
def test_too_little_randomness_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        secrets.mint("live", bytes(count))


@given(minted, st.data())
def test_one_changed_character_is_always_seen(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(len("sk-th-"), len(text) - 1))
    other = data.draw(st.sampled_from(string.ascii_letters + string.digits).filter(lambda c: c != text[place]))
    assert secrets.parse(text[:place] + other + text[place + 1 :]) == "damaged"


@given(minted, st.integers(1, 48))
def test_a_cut_secret_is_damaged_rather_than_unknown(text: str, cut: int) -> None:
    assert secrets.parse(text[:-cut]) == "damaged"


@given(minted, st.text(min_size=1, max_size=10))
def test_a_secret_with_something_added_is_damaged(text: str, tail: str) -> None:
    assert secrets.parse(text + tail) == "damaged"


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    secrets.parse(text)
    assert len(secrets.digest(text)) == 32
    assert len(secrets.last4(text) + secrets.prefix_of(text)) <= max(len(text) // 2, 12)


def test_no_random_word_of_our_form_passes_the_checksum() -> None:
    alphabet = string.ascii_letters + string.digits
    draw = random.Random(6).choices
    words = ["sk-th-live-" + "".join(draw(alphabet, k=49)) for _ in range(20_000)]
    assert [word for word in words if secrets.parse(word) == "ours"] == []


@pytest.mark.parametrize(
    "key",
    ["sk-ant-api03-abc", "sk-proj-abcdef", "AIzaSyA-abc", "gsk_abc", "sk-abcdefgh", "", "sk-TH-live-x", "sk-th"],
)
def test_other_vendors_keys_are_foreign(key: str) -> None:
    assert secrets.parse(key) == "foreign"
    assert secrets.mode_of(key) is None


@given(minted, minted)
def test_two_secrets_never_share_a_digest(one: str, other: str) -> None:
    assert (one == other) == (secrets.digest(one) == secrets.digest(other))
