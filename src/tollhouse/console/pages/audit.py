"""/console/audit: who changed what, from where."""

from collections.abc import Mapping
from typing import Final

import msgspec

from tollhouse.console.audit_words import changes_of, figure_of, sentence_of
from tollhouse.console.objects import name_of
from tollhouse.console.route import Answer, Download, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.audit import AuditRow
from tollhouse.core.instant import rfc3339
from tollhouse.services import audit
from tollhouse.services.audit_csv import as_csv
from tollhouse.services.pages import LIMIT_MAX

_LEVELS: Final[Mapping[str, str]] = {"acc": "account", "proj": "project", "key": "key"}


@page("GET /console/audit", may="audit.list")
async def listing(visit: Visit) -> Answer:
    account = visit.shown_account
    asked = visit.asked("object")
    found = await audit.list_page(
        visit.context.services,
        visit.actor,
        account=account.id,
        object_id=asked or None,
        after=visit.asked("after") or None,
    )
    members = await audit.members(visit.context.services, account.id)
    rows = [
        {
            "row": row,
            "sentence": sentence_of(row),
            "who": _who(visit, row, members),
            "what": _what(visit, row, members),
            "changes": changes_of(row),
        }
        for row in found.records
    ]
    return Shown("audit.html", {"rows": rows, "next": found.next, "object": asked})


@page("GET /console/audit.csv", may="audit.list")
async def as_file(visit: Visit) -> Answer:
    account = visit.shown_account
    found = await audit.list_page(
        visit.context.services,
        visit.actor,
        account=account.id,
        object_id=visit.asked("object") or None,
        after=visit.asked("after") or None,
        limit=LIMIT_MAX,
    )
    return Download("audit.csv", as_csv(_object(row) for row in found.records))


def _object(row: AuditRow) -> dict[str, object]:
    """As the control API has it."""
    actor = {"kind": row.actor_kind, "id": row.actor_id, "address": row.address}
    told: dict[str, object] = msgspec.to_builtins(row)
    return {**told, "actor": actor, "time": rfc3339(row.time_ms)}


def _who(visit: Visit, row: AuditRow, members: dict[str, str]) -> str:
    """Who made a change: a member by their address, a key by its name; those who run the platform are not named. Empty:
    to be said in words of the page."""
    if row.actor_kind == "person":
        return members.get(row.actor_id, "")
    if row.actor_kind in ("admin_key", "api_key"):
        return name_of(visit, "key", row.actor_id)
    return ""


def _what(visit: Visit, row: AuditRow, members: dict[str, str]) -> str:
    """What a change is about: by its name, by its figure with what it stands on, or by its id."""
    if row.object_id in members:
        return members[row.object_id]
    figure = figure_of(row)
    if not figure:
        return name_of(visit, _LEVELS.get(row.object_id.partition("_")[0], ""), row.object_id)
    told = row.before | row.after
    level, stands_on = str(told.get("level", "")), str(told.get("object_id", ""))
    return f"{figure} · {name_of(visit, level, stands_on)}" if stands_on else figure
