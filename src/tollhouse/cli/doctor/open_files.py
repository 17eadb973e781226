"""Each stream needs two open files: the process may have enough of them."""

import resource

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red

TITLE = "Open files"

FILES_MIN = 4096


def check(context: DiagnosticContext) -> CheckVerdict:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES_MIN:
        return red(f"at most {hard}; 1,000 streams at once need {FILES_MIN}", f"ulimit -n {FILES_MIN}, or LimitNOFILE=")
    return green(f"{soft}, raised at start to {'what is needed' if hard == resource.RLIM_INFINITY else hard}")
