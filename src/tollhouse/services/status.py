"""The public status: how well each model serves, what is told of incidents, and how it went for who asks.

A reader is told of the models that they may call; somebody without an account of those that are open to everybody. No
count of calls is told, and nothing of a model with few: it would tell what one customer does.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from tollhouse.access.models import groups_of, in_groups, open_groups
from tollhouse.core.account import Account
from tollhouse.core.announcement import Announcement
from tollhouse.core.audit import Actor
from tollhouse.core.catalogue import Model
from tollhouse.core.roll_up import HOUR_MS
from tollhouse.core.service_level import (
    ServiceFigures,
    ServiceSums,
    WindowName,
    starts_ms,
    verdict,
)
from tollhouse.services import announcements, service_levels
from tollhouse.services.context import ServiceContext
from tollhouse.services.service_sums import ModelFigures

LOOKED_AT_MAX: Final = 1_000
"""An account's own calls that are looked through, the newest first."""
_GOOD: Final = 990
_FAIR: Final = 950

State = Literal["works", "fails_partly", "fails", "unknown"]


class ModelStatus(Struct, frozen=True, kw_only=True):
    """`state`: of the last hour, or of the day where the hour has too few calls."""

    model: str
    state: State
    windows: ModelFigures


class Status(Struct, frozen=True, kw_only=True):
    """`silent`: models of which nothing is said, for too few calls."""

    at_ms: int
    models: tuple[ModelStatus, ...]
    silent: int
    incidents: tuple[Announcement, ...]

    @property
    def open_incidents(self) -> Sequence[Announcement]:
        return [one for one in self.incidents if one.closed_at_ms is None]


class OwnStatus(Struct, frozen=True, kw_only=True):
    """An account's own calls, over the same time. `success`: tenths of a percent by model and window, None without a
    call. `since_ms`: how far back its last calls reach, where they do not reach back over all of it. Of the last hour:
    `worked`, `failed` by the platform or a provider, and `refused` by code, for reasons of their own."""

    success: Mapping[str, Mapping[WindowName, int | None]]
    since_ms: int | None
    worked: int
    failed: int
    refused: tuple[tuple[str, int], ...]


async def show(services: ServiceContext, account: Account | None = None, *, everything: bool = False) -> Status:
    """account: who asks. everything: somebody who runs the platform asks."""
    if not services.levels.is_loaded:
        await service_levels.load(services)
    catalogue, report = services.catalogue, services.levels.report
    groups = open_groups(catalogue) if account is None else groups_of(catalogue, account)

    def is_open(model: Model) -> bool:
        return everything or in_groups(groups, model)

    seen = {model.id for model in catalogue.models.values() if is_open(model)}
    models = [_model(model, report[model]) for model in sorted(seen & report.keys())]
    told = [one for one in models if one.state != "unknown" or one.windows["month"].success is not None]
    incidents = [one for one in await announcements.told(services) if not one.models or seen & set(one.models)]
    return Status(
        at_ms=services.clock.now_ms(),
        models=tuple(told),
        silent=len(seen) - len(told),
        incidents=tuple(_of_models(one, seen) for one in incidents),
    )


async def show_to(services: ServiceContext, actor: Actor) -> tuple[Status, OwnStatus | None]:
    """What who asks is told, and how it went for their account if they have one."""
    if actor.account_id is None:
        return await show(services, everything=True), None
    account = services.directory.accounts[actor.account_id]
    return await show(services, account), await own(services, account.id)


async def own(services: ServiceContext, account_id: str) -> OwnStatus:
    calls = await services.rows.read(
        lambda tables: tables.requests.page(before=None, limit=LOOKED_AT_MAX, account_id=account_id)
    )
    now_ms = services.clock.now_ms()
    starts = starts_ms(now_ms)
    sums: dict[str, dict[WindowName, ServiceSums]] = {}
    refused: Counter[str] = Counter()
    worked = failures = 0
    for call in calls:
        failed, is_recent = verdict(call), call.time_ms >= now_ms - HOUR_MS
        if failed is not None:
            windows = sums.setdefault(call.model, {name: ServiceSums() for name in starts})
            for name, start_ms in starts.items():
                if call.time_ms >= start_ms:
                    windows[name].count(call, failed)
            worked += is_recent and not failed
            failures += is_recent and failed
        elif is_recent and call.mode != "test" and call.error is not None:
            refused[call.error] += 1
    is_whole = len(calls) < LOOKED_AT_MAX or calls[-1].time_ms < starts["month"]
    return OwnStatus(
        success={model: {name: _success(one) for name, one in windows.items()} for model, windows in sums.items()},
        since_ms=None if is_whole else calls[-1].time_ms,
        worked=worked,
        failed=failures,
        refused=tuple(refused.most_common()),
    )


def _success(sums: ServiceSums) -> int | None:
    return sums.good * 1_000 // sums.calls if sums.calls else None


def _model(model: str, windows: ModelFigures) -> ModelStatus:
    return ModelStatus(model=model, state=state_of(windows), windows=windows)


def state_of(windows: Mapping[WindowName, ServiceFigures]) -> State:
    hour, day = windows["hour"].success, windows["day"].success
    success = day if hour is None else hour
    if success is None:
        return "unknown"
    return "works" if success >= _GOOD else "fails_partly" if success >= _FAIR else "fails"


def _of_models(one: Announcement, seen: set[str]) -> Announcement:
    """Without the models that its reader may not know of."""
    if seen.issuperset(one.models):
        return one
    return Announcement(
        id=one.id,
        title=one.title,
        models=tuple(model for model in one.models if model in seen),
        updates=one.updates,
        created_at_ms=one.created_at_ms,
        changed_at_ms=one.changed_at_ms,
        closed_at_ms=one.closed_at_ms,
    )
