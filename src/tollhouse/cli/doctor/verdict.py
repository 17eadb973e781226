"""What a check has to say."""

from typing import Literal

from msgspec import Struct


class CheckVerdict(Struct, frozen=True, kw_only=True):
    state: Literal["green", "red", "skipped"]
    reason: str
    cure: str = ""


def green(reason: str) -> CheckVerdict:
    return CheckVerdict(state="green", reason=reason)


def red(reason: str, cure: str) -> CheckVerdict:
    return CheckVerdict(state="red", reason=reason, cure=cure)


def skipped(reason: str) -> CheckVerdict:
    return CheckVerdict(state="skipped", reason=reason)
