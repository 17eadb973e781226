"""Codes of RFC 6238, taken once, within half a minute of now; recovery codes as people type them."""

from base64 import b32encode

import pytest

from tollhouse.access import totp

SECRET = b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ],
)
def test_vectors_of_the_rfc(seconds: int, code: str) -> None:
    """Appendix B, SHA-1; the six digits of authenticators are its last ones."""
    assert totp.code_at(SECRET, seconds // 30, digits=8) == code
    assert totp.code_at(SECRET, seconds // 30) == code[2:]


@pytest.mark.parametrize(("away", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clock_may_be_one_step_off(away: int, is_taken: bool) -> None:
    now = 50_000_000
    code = totp.code_at(SECRET, now + away)
    assert totp.step_of(SECRET, code, now * totp.STEP_MS, 0) == (now + away if is_taken else None)


def test_code_is_taken_once_and_no_earlier_one_after_it() -> None:
    now = 50_000_000
    for step in (now - 1, now):
        assert totp.step_of(SECRET, totp.code_at(SECRET, step), now * totp.STEP_MS, now) is None
    assert totp.step_of(SECRET, totp.code_at(SECRET, now + 1), now * totp.STEP_MS, now) == now + 1


@pytest.mark.parametrize("typed", ["", "12345", "0000000", "abcdef", "１２３４５６", "-12345"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert totp.step_of(SECRET, typed, 1_500_000_000_000, 0) is None


def test_code_may_hold_blanks() -> None:
    code = totp.code_at(SECRET, 50_000_000)
    assert totp.step_of(SECRET, f" {code[:3]} {code[3:]} ", 50_000_000 * totp.STEP_MS, 0) == 50_000_000


def test_recovery_code_is_known_however_it_is_typed() -> None:
    code = totp.recovery_code(bytes(range(10)))
    assert len(code) == 19
    assert totp.recovery_digest(code) == totp.recovery_digest(code.upper().replace("-", " "))
    assert totp.recovery_digest(code) != totp.recovery_digest(code[:-1])


def test_address_for_authenticators_escapes_what_is_in_it() -> None:
    address = totp.address_of(SECRET, "a&b@toll.example", "toll & house")
    assert address == f"otpauth://totp/toll%20%26%20house:a%26b@toll.example?secret={SECRET}&issuer=toll%20%26%20house"


def test_secret_is_typed_as_base32_of_all_its_bytes() -> None:
    assert totp.secret_of(b"12345678901234567890") == SECRET
    assert len(totp.secret_of(bytes(totp.SECRET_BYTES))) == 32
