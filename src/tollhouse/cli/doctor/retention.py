"""Records of calls are deleted once they are older than they are kept."""

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.core.instant import utc_day
from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.services.retention import in_doubt

TITLE = "Records of calls"


def check(context: DiagnosticContext) -> CheckVerdict:
    found = context.retention()
    if found is None:
        return skipped("there is no database that can be read")
    state, oldest_ms = found
    days, now_ms = context.settings.server.request_retention_days, context.clock.now_ms()
    oldest = "there is none" if oldest_ms is None else f"the oldest is of {utc_day(oldest_ms)}"
    if state.next_at_ms is None:
        then = "the first look is due when a server runs"
    elif state.next_at_ms <= now_ms:
        then = f"a look has been due since {utc_day(state.next_at_ms)}"
    else:
        then = f"the next look is due at {utc_day(state.next_at_ms)}"
    said = f"kept {days} days; {oldest}; {then}"
    if in_doubt(state) and (state.next_at_ms or 0) > now_ms:
        return red(
            f"{said}, because the clock went ahead by more than two days that no server saw pass",
            "if the clock is right (a stop of some days explains it), nothing; if not, set it before that time",
        )
    is_late = oldest_ms is not None and oldest_ms < now_ms - (days + 1) * DAY_MS
    if is_late and (state.next_at_ms or 0) < now_ms - HOUR_MS:
        return red(said, "records are deleted while a server runs: start `tollhouse serve`; if it runs, read its log")
    return green(said)
