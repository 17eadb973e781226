"""What an examination of an installation found: one result a check."""

from typing import Literal

from msgspec import Struct


class CheckResult(Struct, frozen=True, kw_only=True):
    id: str
    title: str
    state: Literal["green", "red", "skipped"]
    reason: str
    cure: str


class DoctorReport(Struct, frozen=True, kw_only=True, tag_field="object", tag="doctor"):
    ok: bool
    checks: tuple[CheckResult, ...]
