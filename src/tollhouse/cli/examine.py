"""tollhouse doctor: every check of cli/doctor, each with its cure."""

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions


def doctor(*, at: CommonOptions = DEFAULT_OPTIONS) -> int:
    """Look at folder, files, database, configuration and machine. Exit code 1 if a check is red."""
    from tollhouse.cli.doctor import report

    return report.run(at)
