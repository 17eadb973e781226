"""The checklist on this platform: what people pasted, judged by how their key, its models and its limits stand.

Who sends a whole key hears about that key, its account's limits and its own calls; nobody else hears anything of it.
What was sent is written down nowhere.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from msgspec import Struct, structs

from tollhouse.access.clients import client_of
from tollhouse.access.credentials import Presented
from tollhouse.access.exposed import without_keys
from tollhouse.access.judge import CALL, permit, recognise
from tollhouse.access.secrets import digest
from tollhouse.checklist.error_text import trouble_of
from tollhouse.checklist.examination import SIZES, Examined, Pasted, examine
from tollhouse.checklist.key import OWN_KEY, around, unknown
from tollhouse.checklist.steps import ChecklistStep, Diagnosis, Trouble, diagnosed, green, not_run, red
from tollhouse.core.account import Identity
from tollhouse.core.amount import format_usd
from tollhouse.core.audit import Actor
from tollhouse.core.codec import Codec, CodecKey
from tollhouse.core.failure import (
    AccountSuspended,
    BadRequest,
    Failure,
    KeyFrozen,
    PathNotFound,
    ScopeMissing,
)
from tollhouse.core.instant import utc_day
from tollhouse.core.links import site
from tollhouse.core.phrase import Phrase
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import reach, receipts
from tollhouse.services.context import ServiceContext
from tollhouse.services.diagnosed_limits import LimitsSeen, look_at_limits
from tollhouse.services.diagnosed_model import look_at_model

_SMALL: Final = 2_000
"""Characters that the event loop looks at itself."""


class Diagnosed(Struct, frozen=True, kw_only=True):
    """`limits`: what a page shows of them. `client`: the library that calls, as far as it is known."""

    diagnosis: Diagnosis
    limits: LimitsSeen | None = None
    client: str = "other"


async def diagnose(
    services: ServiceContext,
    pasted: Pasted,
    codecs: Mapping[CodecKey, Codec],
    *,
    actor: Actor,
    key: str | None = None,
) -> Diagnosed:
    """actor: who asks. key: the id of a key that they may see, where they bring none.

    Raises PathNotFound, RateLimited for an address that asks too often, BadRequest for too long a text, Overloaded.
    """
    now_ms = services.clock.now_ms()
    if actor.address is not None:
        services.diagnosing.admit(actor.address, now_ms)
    _require_bounds(pasted)
    if pasted.length <= _SMALL:
        examined = examine(pasted, codecs, services.public_url)
    else:
        async with services.diagnoses:
            examined = await asyncio.to_thread(examine, pasted, codecs, services.public_url)
    identity, key_step = _look_at_key(services, examined, now_ms)
    if key and examined.key is None:
        identity, key_step = _look_at_own(services, _identity(services, actor, key), now_ms)
    model, model_step = look_at_model(services, examined, identity, now_ms)
    seen, limits_step = await look_at_limits(services, examined, identity, model, now_ms)
    error_step = await _with_receipt(services, examined.error, identity, actor)
    steps = (key_step, examined.request.step, model_step, limits_step, error_step)
    told = diagnosed(tuple(_told(services, step) for step in steps), examined.exposed)
    client = client_of(examined.user_agent.encode("latin-1", "replace"))
    if client == "other" and identity is not None:
        client = identity.key.last_used_client or "other"
    return Diagnosed(diagnosis=told, limits=seen, client=client)


def _require_bounds(pasted: Pasted) -> None:
    for name, most in SIZES.items():
        given = getattr(pasted, name)
        size = (
            sum(len(key) + len(value) for key, value in given.items())
            if isinstance(given, Mapping)
            else len(given or "")
        )
        if size > most:
            raise BadRequest(
                Phrase("%(name)s has more than %(most)s characters: give less of it", name=name, most=most), param=name
            )


def _look_at_key(services: ServiceContext, examined: Examined, now_ms: int) -> tuple[Identity | None, ChecklistStep]:
    """Step 1. The identity is told where the key is good, or was, so that it has models and limits."""
    typed = examined.key
    if typed is None:
        return None, not_run("api_key", Phrase("No API key was given: the steps 3 and 4 need one."))
    if not typed.text and typed.trouble is not None:
        return None, red("api_key", typed.trouble)
    identity = services.directory.find(digest(typed.text))
    if identity is None:
        return None, red("api_key", typed.trouble or unknown(typed.text))
    trouble = _standing(services, identity, now_ms) or around(typed)
    if trouble is not None:
        return (identity if trouble.code != "invalid_api_key" or typed.surrounded else None), red("api_key", trouble)
    return identity, green("api_key", _good(services, identity, now_ms))


def _look_at_own(services: ServiceContext, identity: Identity, now_ms: int) -> tuple[Identity, ChecklistStep]:
    trouble = _standing(services, identity, now_ms)
    if trouble is not None:
        return identity, red("api_key", trouble)
    return identity, green("api_key", _good(services, identity, now_ms))


def _identity(services: ServiceContext, actor: Actor, key: str) -> Identity:
    """As a call would come with the key's newest secret. Raises PathNotFound."""
    found, directory = reach.key(services, actor, key), services.directory
    return Identity(
        key=found,
        secret=found.secrets[0],
        account=directory.accounts[found.account_id],
        project=directory.projects[found.project_id],
    )


def _standing(services: ServiceContext, identity: Identity, now_ms: int) -> Trouble | None:
    """As a call would meet it; from which address it will come is not known here."""
    anywhere = structs.replace(identity, key=structs.replace(identity.key, networks=()))
    try:
        recognise(identity, presented=Presented("", ""), now_ms=now_ms)
        permit(anywhere, address="", needs=CALL)
    except KeyFrozen as failure:
        cure = Phrase("Whoever administers the account unfreezes it on the page API keys.")
        if identity.project.state != "active":
            cure = Phrase("Use a key of a project that is in use.")
        return Trouble(failure.phrase, cure, failure.code)
    except AccountSuspended as failure:
        return Trouble(
            failure.phrase, Phrase("Ask whoever runs this platform: the ways are named below."), failure.code
        )
    except ScopeMissing as failure:
        return Trouble(failure.phrase, Phrase("Use a live or a test key with the scope `inference`."), failure.code)
    except Failure as failure:
        return Trouble(failure.phrase, Phrase(OWN_KEY), failure.code)
    return None


def _good(services: ServiceContext, identity: Identity, now_ms: int) -> Phrase:
    key = identity.key
    until = Phrase("it does not expire")
    if key.expires_at_ms is not None:
        until = Phrase("it expires on %(day)s", day=utc_day(key.expires_at_ms))
    where = Phrase(" It is bound to certain networks.") if key.networks else ""
    if key.mode == "test":
        left = Phrase("Its calls are simulated and cost nothing.")
    else:
        lefts = [one.left() for one in services.counters.of(key, now_ms)]
        least = min((one for one in lefts if one is not None), default=None)
        left = Phrase("%(usd)s USD are left for it.", usd="" if least is None else format_usd(least))
        if least is None:
            left = Phrase("No amount of money bounds it.")
    return Phrase(
        "The key `%(key)s` works: %(until)s. %(left)s%(where)s", key=key.name, until=until, left=left, where=where
    )


async def _with_receipt(
    services: ServiceContext, step: ChecklistStep, identity: Identity | None, actor: Actor
) -> ChecklistStep:
    """What was written down of the call that an error names, for whose call it is: the bearer of its key, or somebody
    signed in to its account."""
    if step.request_id is None or (identity is None and actor.kind == "public"):
        return step
    reader, own_key = actor, None
    if identity is not None:
        own_key = identity.key.id
        reader = Actor(kind="api_key", id=own_key, account_id=identity.account.id)
    with suppress(PathNotFound):
        call = (await receipts.show(services, reader, step.request_id, own_key)).call
        if step.state == "not_run":
            step = _of_call(step, call)
        said = "" if call.detail is None else call.detail.message
        reason = Phrase(
            "%(reason)s The call of %(time)s for `%(model)s` ended with %(status)s %(code)s. %(said)s",
            reason=step.reason,
            time=utc_day(call.time_ms),
            model=call.model or "?",
            status=call.status,
            code=call.error or "",
            said=said if said and said not in step.reason else "",
        )
        if call.error is None:
            reason = Phrase(
                "%(reason)s The call of %(time)s for `%(model)s` was answered.",
                reason=step.reason,
                time=utc_day(call.time_ms),
                model=call.model,
            )
        return structs.replace(step, reason=reason, code=step.code or call.error)
    return step


def _of_call(step: ChecklistStep, call: UsageRecord) -> ChecklistStep:
    """The step, where the id of a call was all that was given, as the call's record has it."""
    if call.error is None:
        return structs.replace(step, state="green")
    trouble = trouble_of(call.error, call.status)
    if trouble is None:
        return structs.replace(step, state="red", code=call.error)
    return structs.replace(step, state="red", reason=trouble.reason, cure=trouble.cure, code=trouble.code)


def _told(services: ServiceContext, step: ChecklistStep) -> ChecklistStep:
    """With the page of its code, and without any key that was pasted into a text."""
    if step.code is not None:
        step = structs.replace(step, docs_url=f"{site(services.public_url)}/docs/errors/{step.code}")
    for name in ("reason", "cure"):
        words = str(getattr(step, name))
        if (cleaned := without_keys(words)) != words:
            step = structs.replace(step, **{name: cleaned})
    return step
