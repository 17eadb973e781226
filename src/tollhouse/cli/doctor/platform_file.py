"""platform.toml has no mistakes."""

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped

TITLE = "platform.toml"


def check(context: DiagnosticContext) -> CheckVerdict:
    mistakes = context.reading.mistakes
    if mistakes:
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        return red(f"{mistakes[0]}{more}", "`tollhouse plan` names every mistake")
    if not context.options.platform_file.exists():
        return skipped("there is none: every setting has its default (`tollhouse init` writes one)")
    warnings = context.reading.warnings
    if not warnings:
        return green("no mistakes")
    return green(f"no mistakes, {len(warnings)} warnings: {'; '.join(map(str, warnings))}")
