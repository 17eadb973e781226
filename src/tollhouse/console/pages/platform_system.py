"""/console/platform/system: the version, the configuration in force, what waits, the database, and what doctor says."""

import asyncio

from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.examination import DoctorReport
from tollhouse.services import system


@page("GET /console/platform/system", may="system.show")
async def show(visit: Visit) -> Answer:
    return await _shown(visit)


@page("POST /console/platform/system/examine", may="system.examine")
async def examine(visit: Visit) -> Answer:
    """Runs the checks of `doctor` now: some seconds, where something does not answer."""
    running = visit.context.running
    if running is None or running.examine is None:
        return await _shown(visit)
    return await _shown(visit, await asyncio.to_thread(running.examine))


async def _shown(visit: Visit, report: DoctorReport | None = None) -> Shown:
    running = visit.context.running
    return Shown(
        "platform_system.html",
        {
            "state": await system.show(visit.context.services, visit.actor),
            "running": running,
            "depths": {} if running is None else running.depths(),
            "free_bytes": None if running is None else await asyncio.to_thread(running.free_bytes),
            "report": report,
        },
    )
