"""The clock is about right: expiry, windows and audit depend on it."""

import datetime

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red

TITLE = "Clock"

_RELEASED_MS = 1_761_955_200_000  # 2025-11-01: nothing runs this version earlier
_SKEW_MS_MAX = 120_000


def check(context: DiagnosticContext) -> CheckVerdict:
    now_ms = context.clock.now_ms()
    shown = datetime.datetime.fromtimestamp(now_ms // 1000, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    cure = "set the clock, best by a time service (chrony, systemd-timesyncd)"
    if now_ms < _RELEASED_MS:
        return red(f"it says {shown}, which is before this version was made", cure)
    files = list(context.folder.iterdir()) if context.folder.is_dir() else []
    newest_ms = max((path.stat().st_mtime_ns // 1_000_000 for path in files if path.is_file()), default=0)
    if newest_ms > now_ms + _SKEW_MS_MAX:
        ahead = (newest_ms - now_ms) // 1000
        return red(f"it says {shown}, but a file in the data folder is {ahead} s newer: it was set back", cure)
    return green(shown)
