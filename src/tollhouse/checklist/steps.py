"""What the checklist says: five steps, each green, red or not run, with a reason and a cure."""

from typing import Final, Literal

from msgspec import Struct

State = Literal["green", "red", "not_run"]
StepId = Literal["api_key", "request_format", "model", "rate_limits", "error_body"]
STEPS: Final[tuple[StepId, ...]] = ("api_key", "request_format", "model", "rate_limits", "error_body")


class ChecklistStep(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Reason and cure are phrases where they can be said in another language; what stands between backticks is code.
    `request_id`: of a call whose receipt can be looked up."""

    id: StepId
    state: State
    reason: str
    cure: str
    code: str | None = None
    request_id: str | None = None
    docs_url: str | None = None


class ExposedKey(Struct, frozen=True, kw_only=True):
    """A whole key that was put into `field`, where none belongs. `whose`: this platform, or a vendor."""

    field: str
    whose: str
    cure: str


class Diagnosis(Struct, frozen=True, kw_only=True, tag_field="object", tag="diagnosis", omit_defaults=True):
    """`ok`: no step is red."""

    ok: bool
    steps: tuple[ChecklistStep, ...]
    exposed: tuple[ExposedKey, ...] = ()


class Trouble(Struct, frozen=True):
    """What is wrong, and what to do about it."""

    reason: str
    cure: str
    code: str | None = None


def wrong(reason: str, cure: str) -> Trouble:
    """Of a request that providers refuse."""
    return Trouble(reason, cure, "invalid_request_error")


def diagnosed(steps: tuple[ChecklistStep, ...], exposed: tuple[ExposedKey, ...] = ()) -> Diagnosis:
    return Diagnosis(ok=all(step.state != "red" for step in steps), steps=steps, exposed=exposed)


def green(step: StepId, reason: str, request_id: str | None = None) -> ChecklistStep:
    return ChecklistStep(id=step, state="green", reason=reason, cure="", request_id=request_id)


def red(step: StepId, trouble: Trouble, request_id: str | None = None) -> ChecklistStep:
    return ChecklistStep(
        id=step, state="red", reason=trouble.reason, cure=trouble.cure, code=trouble.code, request_id=request_id
    )


def not_run(step: StepId, reason: str) -> ChecklistStep:
    return ChecklistStep(id=step, state="not_run", reason=reason, cure="")
