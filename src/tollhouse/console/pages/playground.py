"""/console/playground: a call from the browser, with what may become of it, what it cost, and the code that makes it.

The form works without JavaScript; with it, the answer comes as it is written (`playground_stream`).
"""

from math import isfinite
from typing import Final

from msgspec import structs

from tollhouse.billing.endings import explained
from tollhouse.console.call_code import CURL, PLACEHOLDER, code
from tollhouse.console.call_formats import CallFormat, Given, body_of, call_formats, format_of, places_of
from tollhouse.console.call_media import PageMedium, media_of
from tollhouse.console.call_money import money_of
from tollhouse.console.page_call import PageCall, PlannedCall, foreseen, text_of
from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.account import ApiKey
from tollhouse.core.failure import BadRequest, Failure, Overloaded, PathNotFound
from tollhouse.core.phrase import Phrase, translatable
from tollhouse.core.usage_record import UsageRecord
from tollhouse.gateway.explain import Explanation
from tollhouse.gateway.running import RunningPlatform
from tollhouse.services import models, reach, receipts

_FIELDS: Final = ("key", "model", "format", "max_tokens", "temperature", "stream", "instructions", "text", "language")
_NEW: Final = {"format": "openai_chat", "max_tokens": "500", "stream": "1", "language": CURL}
_TEXT_MAX: Final = 100_000
_KEYS_MAX: Final = 200
_OPTIONAL: Final = {
    "instructions": translatable("Instructions"),
    "max_tokens": translatable("Tokens at most"),
    "temperature": translatable("Temperature"),
}
"""Fields that a format may have no place for."""


@page("GET /console/playground", may="playground.call")
async def form(visit: Visit) -> Answer:
    """`?request=`: with what is known of a call that was made. Raises PathNotFound."""
    request_id = visit.asked("request")
    if not request_id:
        return _shown(visit, _NEW | {name: visit.asked(name) for name in ("key", "model") if visit.asked(name)})
    receipt = await receipts.show(visit.context.services, visit.actor, request_id)
    return _shown(visit, _fields_of(receipt.call), replayed=receipt.call)


@page("POST /console/playground", may="playground.call", waits=True)
async def call(visit: Visit) -> Answer:
    fields, pieces = _typed(visit), list[bytes]()

    async def take(data: bytes) -> None:
        pieces.append(data)

    try:
        planned = planned_call(visit, stream=False)
        made = PageCall(running(visit).gateway, planned, visit.address, take)
        with visit.context.calls.under_way(planned.key.account_id, made.id):
            failure = await made.make()
    except Failure as trouble:
        return _shown(visit, fields, trouble=trouble)
    came = b"" if failure is not None else b"".join(pieces)
    media = media_of(planned.format, came)
    answer = text_of(planned.format, came) if came and not media else ""
    return _shown(visit, fields, trouble=failure, answer=answer, media=media, made=await record_of(visit, made.id))


@page("POST /console/playground/code", may="playground.call")
async def look(visit: Visit) -> Answer:
    """What would be held for the call of this form, and its code: nothing is sent."""
    call_format = call_formats().get(visit.given("format"))
    if call_format is not None and call_format.file:
        return _shown(visit, _typed(visit))
    try:
        planned = planned_call(visit, text_needed=False)
        seen = await foreseen(running(visit).gateway, planned)
    except Failure as trouble:
        return _shown(visit, _typed(visit), trouble=trouble)
    return _shown(visit, _typed(visit), seen=seen)


def running(visit: Visit) -> RunningPlatform:
    """Raises Overloaded where nobody serves."""
    if visit.context.running is None:
        raise Overloaded("only a server that runs makes calls")
    return visit.context.running


def planned_call(visit: Visit, *, stream: bool | None = None, text_needed: bool = True) -> PlannedCall:
    """The call of the form. stream: whatever the form says. Raises BadRequest, PathNotFound."""
    key = reach.key(visit.context.services, visit.actor, visit.given("key"))
    call_format, given = _given(_typed(visit))
    if call_format.file:
        raise BadRequest("format: this kind of call sends a file; make it by the code below", param="format")
    if text_needed and not given.text:
        raise BadRequest("text: write what the model is to answer", param="text")
    if stream is not None:
        given = structs.replace(given, stream=stream)
    return PlannedCall(key, call_format, body_of(call_format, given), given)


async def record_of(visit: Visit, request_id: str) -> UsageRecord | None:
    """None: there is none, as of some calls that were refused."""
    try:
        return (await receipts.show(visit.context.services, visit.actor, request_id)).call
    except PathNotFound:
        return None


def _typed(visit: Visit) -> dict[str, str]:
    return {name: visit.given(name) for name in _FIELDS}


def _fields_of(call: UsageRecord) -> dict[str, str]:
    call_format = format_of(call.dialect, call.operation)
    return _NEW | {
        "key": call.key_id,
        "model": call.model,
        "format": call_format.name if call_format is not None else _NEW["format"],
        "max_tokens": "" if call.output_cap is None else str(call.output_cap),
        "stream": "1" if call.stream else "",
    }


def _given(fields: dict[str, str]) -> tuple[CallFormat, Given]:
    """Raises BadRequest."""
    call_format = call_formats().get(fields["format"])
    if call_format is None:
        raise BadRequest("format: choose one of the list", param="format")
    text, instructions = fields.get("text", ""), fields.get("instructions", "")
    if len(text) + len(instructions) > _TEXT_MAX:
        raise BadRequest(Phrase("text: at most %(most)s characters are sent from here", most=_TEXT_MAX), param="text")
    try:
        most, temperature = fields.get("max_tokens", ""), fields.get("temperature", "")
        max_tokens, warmth = int(most) if most else None, float(temperature) if temperature else None
    except ValueError:
        raise BadRequest("max_tokens and temperature are numbers", param="max_tokens") from None
    if warmth is not None and not isfinite(warmth):
        raise BadRequest("temperature: this is no number that can be sent", param="temperature")
    return call_format, Given(
        model=fields.get("model", ""),
        text=text,
        instructions=instructions,
        max_tokens=max_tokens,
        temperature=warmth,
        stream=bool(fields.get("stream")) and bool(call_format.deltas),
    )


def _shown(
    visit: Visit,
    fields: dict[str, str],
    *,
    trouble: Failure | None = None,
    answer: str = "",
    media: tuple[PageMedium, ...] = (),
    made: UsageRecord | None = None,
    seen: Explanation | None = None,
    replayed: UsageRecord | None = None,
) -> Shown:
    """made: the call of this form. replayed: the one whose values are filled in."""
    services, account = visit.context.services, visit.shown_account
    keys = [one for one in services.directory.keys_of(account.id) if _calls(one)]
    keys.sort(key=lambda one: (one.mode != "test", -one.created_at_ms))
    offered = [one.model.id for one in models.offered(services, account)]
    fields = {"model": offered[0] if offered else ""} | {name: fields.get(name, "") for name in _FIELDS}
    return Shown(
        "playground.html",
        {
            "keys": keys[:_KEYS_MAX],
            "models": offered,
            "formats": list(call_formats().values()),
            "sends_file": fields["format"] in call_formats() and bool(call_formats()[fields["format"]].file),
            "fields": fields,
            "answer": answer,
            "media": media,
            "trouble": trouble,
            "call": made,
            "money": None if made is None else money_of(made),
            "explained": "" if made is None else explained(made),
            "seen": seen,
            "replayed": replayed,
            **_as_code(visit, fields),
        },
        200 if trouble is None else trouble.status,
    )


def _calls(key: ApiKey) -> bool:
    return key.mode != "admin" and key.state == "active" and "inference" in key.scopes


def _as_code(visit: Visit, fields: dict[str, str]) -> dict[str, object]:
    """The code of what the form says, in the language that it names; none where it says nothing that can be sent."""
    try:
        call_format, given = _given(fields)
    except BadRequest:
        return {"code": "", "languages": (), "left_out": ()}
    texts = code(call_format, structs.replace(given, text=given.text or PLACEHOLDER), visit.base_url)
    places = places_of(call_format)
    left_out = [words for name, words in _OPTIONAL.items() if fields[name] and f"@{name.upper()}@" not in places]
    language = fields["language"] if fields["language"] in texts else CURL
    return {"code": texts[language], "languages": tuple(texts), "language_now": language, "left_out": left_out}
