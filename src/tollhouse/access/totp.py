"""Codes of a second factor that change every 30 seconds: TOTP of RFC 6238, six digits of HMAC-SHA-1, as every
authenticator has it. And recovery codes, for whoever lost theirs."""

import hmac
from base64 import b32decode, b32encode
from hashlib import sha256
from typing import Final
from urllib.parse import quote

STEP_MS: Final = 30_000
DIGITS: Final = 6
SECRET_BYTES: Final = 20
RECOVERY_CODES: Final = 10
RECOVERY_BYTES: Final = 10
"""Of a recovery code: 80 bits, so that a plain SHA-256 of it tells nobody anything."""
_EARLIER: Final = 1  # steps that a clock may be behind or ahead
_GROUP: Final = 4


def secret_of(random: bytes) -> str:
    """As it is typed into an authenticator. random: SECRET_BYTES."""
    return b32encode(random).decode("ascii")


def code_at(secret: str, step: int, digits: int = DIGITS) -> str:
    """The code of one step of 30 s since 1970."""
    mac = hmac.digest(b32decode(secret), step.to_bytes(8, "big"), "sha1")
    start = mac[-1] & 15
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def step_of(secret: str, code: str, now_ms: int, taken_step: int) -> int | None:
    """The step whose code this is, among now, the one before and the one behind; None: it is none of them, or of a step
    up to `taken_step`."""
    typed, now = "".join(code.split()), now_ms // STEP_MS
    found = None
    for step in range(now - _EARLIER, now + _EARLIER + 1):
        is_it = hmac.compare_digest(code_at(secret, step).encode(), typed.encode())
        if is_it and step > taken_step:
            found = step
    return found


def address_of(secret: str, email: str, platform: str) -> str:
    """What authenticators read from a link or a picture."""
    return (
        f"otpauth://totp/{quote(platform, safe='')}:{quote(email, safe='@')}?secret={secret}&issuer={quote(platform)}"
    )


def in_groups(text: str) -> str:
    """For people who copy it by hand."""
    return " ".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def recovery_code(random: bytes) -> str:
    """`abcd-efgh-...`. random: RECOVERY_BYTES."""
    return in_groups(b32encode(random).decode("ascii").lower()).replace(" ", "-")


def recovery_digest(code: str) -> str:
    """What is kept of a recovery code, however it was typed."""
    return sha256("".join(sign for sign in code.lower() if sign.isalnum()).encode()).hexdigest()
