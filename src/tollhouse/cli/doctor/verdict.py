"""What a check has to say."""

from typing import Literal

from msgspec import Struct


class Verdict(Struct, frozen=True, kw_only=True):
    state: Literal["green", "red", "skipped"]
    reason: str
    cure: str = ""


def green(reason: str) -> Verdict:
    return Verdict(state="green", reason=reason)


def red(reason: str, cure: str) -> Verdict:
    return Verdict(state="red", reason=reason, cure=cure)


def skipped(reason: str) -> Verdict:
    return Verdict(state="skipped", reason=reason)
