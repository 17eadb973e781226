"""/status: how each model serves, and what is told of incidents; the same as JSON, and its incidents as an Atom feed.

Whoever is signed in sees their own calls beside everybody's.
"""

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import msgspec

from tollhouse.console.route import EVERYBODY, Answer, Shown, Text, page
from tollhouse.console.visit import Visit
from tollhouse.core.announcement import Announcement
from tollhouse.core.instant import rfc3339
from tollhouse.core.phrase import translatable
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.service_level import CALLS_MIN, WINDOWS, ServiceFigures
from tollhouse.services import status

_KEPT_MS: Final = 5_000
_SECONDS: Final = 15
MODELS_MAX: Final = 500
"""Models of one page; those that have trouble first. The JSON has all of them."""
_ATOM: Final = "application/atom+xml; charset=utf-8"
_ORDER: Final = ("fails", "fails_partly", "works", "unknown")
STATES: Final = {
    "works": translatable("works"),
    "fails_partly": translatable("some calls fail"),
    "fails": translatable("many calls fail"),
    "unknown": translatable("too few calls to say"),
}
SPANS: Final = {
    "hour": translatable("last hour"),
    "day": translatable("last day"),
    "month": translatable("last 30 days"),
}


@page("GET /status", may=EVERYBODY, kept_ms=_KEPT_MS)
async def show(visit: Visit) -> Answer:
    services, account = visit.context.services, visit.account
    found = await status.show(services, account, everything=account is None and visit.is_of_platform)
    ranked = sorted(found.models, key=lambda one: (_ORDER.index(one.state), one.model))
    values: dict[str, object] = {
        "found": found,
        "models": ranked[:MODELS_MAX],
        "left_out": max(0, len(ranked) - MODELS_MAX),
        "own": await status.own(services, account.id) if account is not None and visit.may("status.show") else None,
        "states": STATES,
        "spans": SPANS,
        "least": CALLS_MIN,
    }
    return Shown("status.html", values)


@page("GET /status.json", may=EVERYBODY, kept_ms=_KEPT_MS)
async def as_json(visit: Visit) -> Answer:
    found = await status.show(visit.context.services)
    data = {
        "object": "status",
        "at": rfc3339(found.at_ms),
        "models": [
            {"model": one.model, "state": one.state, **{name: _figures(one.windows[name]) for name in WINDOWS}}
            for one in found.models
        ],
        "silent": found.silent,
        "incidents": [_incident(one, visit.base_url) for one in found.incidents],
    }
    return Text("application/json", msgspec.json.encode(data).decode(), _SECONDS)


@page("GET /status.atom", may=EVERYBODY, kept_ms=_KEPT_MS)
async def as_feed(visit: Visit) -> Answer:
    found = await status.show(visit.context.services)
    name = visit.context.settings.platform.name
    return Text(_ATOM, "\n".join(_feed(found.incidents, found.at_ms, name, visit.base_url)) + "\n", _SECONDS)


def _figures(found: ServiceFigures) -> dict[str, object]:
    return {
        "success_percent": None if found.success is None else found.success / 10,
        "first_token_p50_ms": found.first_p50_ms,
        "first_token_p95_ms": found.first_p95_ms,
        "tokens_per_second": found.tokens_per_second,
    }


def _incident(one: Announcement, base: str) -> dict[str, object]:
    return {
        "id": one.id,
        "url": f"{base}/status#{one.id}",
        "title": one.title,
        "models": one.models,
        "updates": [{"at": rfc3339(update.at_ms), "text": update.text} for update in one.updates],
        "created_at": rfc3339(one.created_at_ms),
        "closed_at": None if one.closed_at_ms is None else rfc3339(one.closed_at_ms),
    }


def _feed(incidents: Sequence[Announcement], at_ms: int, name: str, base: str) -> Iterator[str]:
    """As RFC 4287 has it. A feed without an incident is as old as the day of UTC."""
    updated = max((one.changed_at_ms for one in incidents), default=at_ms - at_ms % DAY_MS)
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield '<feed xmlns="http://www.w3.org/2005/Atom">'
    yield f"<id>{escape(base)}/status</id>"
    yield f"<title>{escape(name)}: status</title>"
    yield f"<updated>{rfc3339(updated)}</updated>"
    yield f"<author><name>{escape(name)}</name></author>"
    yield f'<link rel="self" href={quoteattr(f"{base}/status.atom")}/>'
    yield f'<link rel="alternate" type="text/html" href={quoteattr(f"{base}/status")}/>'
    for one in incidents:
        yield from _entry(one, base)
    yield "</feed>"


def _entry(one: Announcement, base: str) -> Iterator[str]:
    closed = "" if one.closed_at_ms is None else " (closed)"
    lines = [f"{rfc3339(update.at_ms)}: {update.text}" for update in reversed(one.updates)]
    if one.models:
        lines.append(f"Models: {', '.join(one.models)}")
    yield "<entry>"
    yield f"<id>{escape(base)}/status#{one.id}</id>"
    yield f"<title>{escape(one.title + closed)}</title>"
    yield f"<published>{rfc3339(one.created_at_ms)}</published>"
    yield f"<updated>{rfc3339(one.changed_at_ms)}</updated>"
    yield f'<link rel="alternate" type="text/html" href={quoteattr(f"{base}/status#{one.id}")}/>'
    yield f'<content type="text">{escape(chr(10).join(lines))}</content>'
    yield "</entry>"
