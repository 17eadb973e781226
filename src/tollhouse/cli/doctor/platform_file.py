"""platform.toml has no mistakes."""

from tollhouse.cli.doctor.premises import Premises
from tollhouse.cli.doctor.verdict import Verdict, green, red, skipped

TITLE = "platform.toml"


def check(premises: Premises) -> Verdict:
    mistakes = premises.reading.mistakes
    if mistakes:
        more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
        return red(f"{mistakes[0]}{more}", "`tollhouse plan` names every mistake")
    if not premises.place.platform_file.exists():
        return skipped("there is none: every setting has its default (`tollhouse init` writes one)")
    warnings = premises.reading.warnings
    if not warnings:
        return green("no mistakes")
    return green(f"no mistakes, {len(warnings)} warnings: {'; '.join(map(str, warnings))}")
