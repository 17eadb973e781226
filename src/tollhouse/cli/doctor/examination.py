"""Finding the checks and running them all, in the order of their names."""

from collections.abc import Iterator
from types import ModuleType

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, red
from tollhouse.core.discovery import modules_of
from tollhouse.core.examination import CheckResult, DoctorReport


def checks() -> Iterator[tuple[str, ModuleType]]:
    """Every module of this package that holds a check, with its id."""
    package = __name__.rpartition(".")[0]
    for name, module in modules_of(package):
        if hasattr(module, "TITLE"):
            yield name, module


def examine(context: DiagnosticContext) -> DoctorReport:
    findings = []
    for name, module in checks():
        try:
            verdict: CheckVerdict = module.check(context)
        except OSError as error:
            verdict = red(f"could not look: {error}", "make what is named readable for the user who runs tollhouse")
        findings.append(
            CheckResult(id=name, title=module.TITLE, state=verdict.state, reason=verdict.reason, cure=verdict.cure)
        )
    return DoctorReport(ok=all(finding.state != "red" for finding in findings), checks=tuple(findings))
