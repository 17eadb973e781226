"""What `doctor` runs: every check beside this file, told as a table."""

from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.configured import read_platform
from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.examination import examine
from tollhouse.cli.table import Styled
from tollhouse.cli.terminal import as_json, show_table
from tollhouse.clock import SystemClock
from tollhouse.core.examination import CheckResult, DoctorReport
from tollhouse.edge.admin.context import config_environment

_STYLES = (("green", "green"), ("red", "bold red"), ("skipped", "dim"))


def examined(at: CommonOptions) -> DoctorReport:
    """What all checks say now; some seconds, where something does not answer."""
    environment = config_environment(at.dir)
    context = DiagnosticContext(options=at, reading=read_platform(at), environment=environment, clock=SystemClock())
    return examine(context)


def run(at: CommonOptions) -> int:
    """The answer is the exit code: 1 if a check is red."""
    report = examined(at)
    if at.json:
        print(as_json(report))
    else:
        show_table(["check", "state", "what was seen", "what to do"], [_row(finding) for finding in report.checks])
    return 0 if report.ok else 1


def _row(finding: CheckResult) -> list[object]:
    return [finding.title, Styled(finding.state, dict(_STYLES)[finding.state]), finding.reason, finding.cure]
