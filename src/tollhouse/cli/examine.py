"""tollhouse doctor: every check of cli/doctor, each with its cure."""

from rich.text import Text

from tollhouse.cli.doctor.examination import Finding, examine
from tollhouse.cli.doctor.premises import Premises
from tollhouse.cli.place import HERE, Place, read_platform
from tollhouse.cli.terminal import as_json, show_table
from tollhouse.clock import SystemClock
from tollhouse.edge.admin.desk import surroundings

_STYLES = (("green", "green"), ("red", "bold red"), ("skipped", "dim"))


def doctor(*, at: Place = HERE) -> int:
    """Look at folder, files, database, configuration and machine. Exit code 1 if a check is red."""
    premises = Premises(place=at, reading=read_platform(at), around=surroundings(at.dir), clock=SystemClock())
    report = examine(premises)
    if at.json:
        print(as_json(report))
    else:
        show_table(["check", "state", "what was seen", "what to do"], [_row(finding) for finding in report.checks])
    return 0 if report.ok else 1


def _row(finding: Finding) -> list[object]:
    return [finding.title, Text(finding.state, style=dict(_STYLES)[finding.state]), finding.reason, finding.cure]
