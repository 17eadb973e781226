"""tollhouse check: the checklist against any OpenAI-compatible service."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from msgspec import structs

from tollhouse.checklist.steps import Diagnosis
from tollhouse.cli.checklist import BadBaseUrl, CheckInput, ChecklistStep, diagnose
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.table import Styled
from tollhouse.cli.terminal import as_json, show_table
from tollhouse.cli.trouble import Misuse

_STYLES = (("green", "green"), ("red", "bold red"), ("not_run", "dim"))
_FILE_MAX = 1024 * 1024


def check(
    *,
    base_url: Annotated[str, Parameter(help="where the service is, with or without /v1")],
    key: Annotated[str, Parameter(env_var="TOLLHOUSE_API_KEY", help="an API key of that service")],
    model: Annotated[str | None, Parameter(help="the model to try; default: the first chat model it lists")] = None,
    body: Annotated[Path | None, Parameter(help="a file with the body of a request")] = None,
    endpoint: Annotated[
        str, Parameter(help="the path that the body goes to, as /v1/messages; default: by its form")
    ] = "",
    every_format: Annotated[bool, Parameter(help="try the formats of Anthropic and Gemini too", negative=())] = False,
    send: Annotated[bool, Parameter(help='send that body too, with "stream": false', negative=())] = False,
    error: Annotated[Path | None, Parameter(help="a file with an error, as it came or was printed")] = None,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> int:
    """Try API key, request format, model and limits; costs a few tokens. Exit code 1 if a step is red."""
    if send and body is None:
        raise Misuse("--send sends the body of a file: name it with --body", code="no_body")
    given = CheckInput(
        body=None if body is None else _read(body),
        endpoint=endpoint,
        every_format=every_format,
        sends=send,
        error="" if error is None else _read(error),
    )
    try:
        diagnosis = diagnose(base_url, key, model, given)
    except BadBaseUrl as failure:
        raise Misuse(str(failure), code="invalid_base_url") from failure
    if at.json:
        print(as_json(_plain(diagnosis)))
    else:
        show_table(["step", "state", "what was seen", "what to do"], [_row(step) for step in diagnosis.steps])
    return 0 if diagnosis.ok else 1


def _read(path: Path) -> str:
    """Raises Misuse."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_FILE_MAX)
    except OSError as failure:
        raise Misuse(f"{path} cannot be read: {failure.strerror}", code="no_file") from failure


def _plain(diagnosis: Diagnosis) -> Diagnosis:
    steps = (structs.replace(step, reason=str(step.reason), cure=str(step.cure)) for step in diagnosis.steps)
    return structs.replace(diagnosis, steps=tuple(steps))


def _row(step: ChecklistStep) -> list[object]:
    state = Styled(step.state.replace("_", " "), dict(_STYLES)[step.state])
    return [step.id.replace("_", " "), state, str(step.reason), str(step.cure)]
