"""Errors of Google's APIs (google.rpc.Status), for the kinds that reach them: `gemini` and `vertex`.

Machine-readable words decide most of them: `error.status`, and the `reason` of an ErrorInfo within `details`.
"""

import re
from typing import Any, Final

import msgspec

from tollhouse.core.upstream import Headers
from tollhouse.providers.error_rules import rule
from tollhouse.providers.retry_after import LONGEST_MS

RULES: Final = (
    rule("overloaded", "model_capacity_exhausted", source="gemini-cli#26633, with 429"),
    rule("no_permission", says=r"user location is not supported", source="gemini-cli#1993, with 400"),
    rule("no_permission", says=r"gemini api free tier is not available in your country", source="docs, with 400"),
    rule("empty_account", "billing_disabled", source="docs: ErrorInfo, with 403"),
    rule(
        "empty_account",
        says=r"your prepay(?:ment)? credits are depleted|.{0,80}billing (?:account )?.{0,60}(?:disabled|closed)",
        status=(400, 403, 429),
        source="docs: billing",
    ),
    rule(
        "empty_account",
        says=r"your (?:project|billing account) has exceeded its (?:monthly )?spending cap",
        status=429,
        source="docs: billing",
    ),
    rule(
        "bad_request",
        says=r"you do not have permission to access the (?:file|corpus|cached|document)|cachedcontent not found",
        status=(403, 404),
        source="docs: files and caches of another project, which callers name",
    ),
    rule("too_large", says=r"request payload size exceeds the limit", status=400, source="docs: 20 MB inline"),
    rule(
        "policy",
        says=r".*(?:violate[sd]? .{0,60}(?:usage guidelines|policies|responsible ai)|blocked by .{0,40}safety)",
        status=400,
        source="docs: Imagen, Veo",
    ),
    rule("broken", "cancelled", status=499, source="docs: 499 CANCELLED"),
)

_DELAY: Final = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?s", re.ASCII)
_LIST_MAX: Final = 16


def retry_delay(headers: Headers, body: bytes) -> int | None:
    """Of `RetryInfo`; an hour where a quota of a whole day is used up, for which Google names seconds all the same."""
    details = _details(body)
    if any(_is_of_a_day(violation) for detail in details for violation in _quotas(detail)):
        return LONGEST_MS
    for detail in details:
        said = detail.get("retryDelay")
        found = _DELAY.fullmatch(said) if isinstance(said, str) else None
        if found:
            return min(int(found[1]) * 1_000 + int((found[2] or "0").ljust(3, "0")[:3]), LONGEST_MS)
    return None


def _quotas(detail: dict[str, Any]) -> list[dict[str, Any]]:
    """Of `QuotaFailure`, and the one that ErrorInfo names (google-gemini/gemini-cli#10925)."""
    metadata = detail.get("metadata")
    return [*_list(detail.get("violations")), *([metadata] if isinstance(metadata, dict) else [])]


def _is_of_a_day(violation: dict[str, Any]) -> bool:
    said = f"{violation.get('quotaId')} {violation.get('quotaMetric')} {violation.get('quota_limit')}"
    return "perday" in said.lower().replace("_", "")


def _details(body: bytes) -> list[dict[str, Any]]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    if isinstance(found, list):  # a stream that is not `alt=sse`
        found = found[0] if found else {}
    error = found.get("error") if isinstance(found, dict) else None
    return _list(error.get("details")) if isinstance(error, dict) else []


def _list(found: Any) -> list[dict[str, Any]]:
    return [one for one in found[:_LIST_MAX] if isinstance(one, dict)] if isinstance(found, list) else []
