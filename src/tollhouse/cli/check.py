"""tollhouse check: the checklist against any OpenAI-compatible service."""

from typing import Annotated

from cyclopts import Parameter

from tollhouse.cli.checklist import BadBaseUrl, ChecklistStep, diagnose
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.table import Styled
from tollhouse.cli.terminal import as_json, show_table
from tollhouse.cli.trouble import Misuse

_STYLES = (("green", "green"), ("red", "bold red"), ("not_run", "dim"))


def check(
    *,
    base_url: Annotated[str, Parameter(help="where the service is, with or without /v1")],
    key: Annotated[str, Parameter(env_var="TOLLHOUSE_API_KEY", help="an API key of that service")],
    model: Annotated[str | None, Parameter(help="the model to try; default: the first chat model it lists")] = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> int:
    """Try API key, request format, model and limits; costs a few tokens. Exit code 1 if a step is red."""
    try:
        diagnosis = diagnose(base_url, key, model)
    except BadBaseUrl as error:
        raise Misuse(str(error), code="invalid_base_url") from error
    if at.json:
        print(as_json(diagnosis))
    else:
        show_table(["step", "state", "what was seen", "what to do"], [_row(step) for step in diagnosis.steps])
    return 0 if diagnosis.ok else 1


def _row(step: ChecklistStep) -> list[object]:
    state = Styled(step.state.replace("_", " "), dict(_STYLES)[step.state])
    return [step.id.replace("_", " "), state, step.reason, step.cure]
