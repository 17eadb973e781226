"""The troubleshooting checklist, tried live: API key, request format, model, limits; an error body is not read yet.

A check costs at most a few tokens of the model it is tried with. Reasons never hold the key.
"""

from typing import Literal

import msgspec
from msgspec import Struct

from tollhouse.access import secrets
from tollhouse.cli.service import BadBaseUrl, Service, ServiceReply, Unreachable, base_urls
from tollhouse.core.spelling import nearest

State = Literal["green", "red", "not_run"]
StepId = Literal["api_key", "request_format", "model", "rate_limits", "error_body"]

_NO_CHAT = ("embed", "moderation", "whisper", "tts", "audio", "image", "dall-e", "rerank", "realtime", "sora", "video")


class ChecklistStep(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: StepId
    state: State
    reason: str
    cure: str
    code: str | None = None
    request_id: str | None = None
    docs_url: str | None = None


class Diagnosis(Struct, frozen=True, kw_only=True, tag_field="object", tag="diagnosis"):
    ok: bool
    steps: tuple[ChecklistStep, ...]


def diagnose(base_url: str, key: str, model: str | None) -> Diagnosis:
    """Try steps 1 to 4 against a service. Raises InvalidBaseUrl."""
    service = Service(base_urls=base_urls(base_url), key=key.strip())
    steps = [
        *_live(service, key, model),
        _not_run("error_body", "this check was given no error body"),
    ]
    return Diagnosis(ok=all(step.state != "red" for step in steps), steps=tuple(steps))


def _live(service: Service, key: str, model: str | None) -> tuple[ChecklistStep, ...]:
    """Steps 1 to 4."""
    later: tuple[StepId, StepId, StepId] = ("request_format", "model", "rate_limits")
    blocked = tuple(_not_run(step, "needs a working key") for step in later)
    odd = odd_key(key)
    if odd:
        return ChecklistStep(
            id="api_key", state="red", reason=odd, cure="copy the key again, whole and alone"
        ), *blocked
    try:
        listed = service.ask("GET", "/models")
        if listed.status in (401, 403):
            return _refused(listed, key), *blocked
        names = listed_models(listed)
        chosen = model or chat_model(names)
        tried = None if chosen is None else _first_call(service, chosen)
    except Unreachable as error:
        reason = f"cannot reach {service.base_urls[0]}: {error}"
        cure = "check host, port and scheme of the base URL, and whether a proxy or firewall stands between"
        return ChecklistStep(id="api_key", state="red", reason=reason, cure=cure), *blocked
    if tried is not None and tried.status == 401:
        return _refused(tried, key), *blocked
    accepted = listed if listed.status == 200 or tried is None else tried
    if _is_no_service(accepted):
        return _no_service(accepted), *blocked
    if accepted.status >= 500:
        first = _not_run(
            "api_key", f"the service failed before the key could be judged: {hidden(accepted.message, key)}"
        )
    else:
        first = ChecklistStep(id="api_key", state="green", reason="the service accepts the key", cure="")
    model_step = _model_step(chosen, model is not None, names, tried, key)
    return first, _format_step(tried, key), model_step, _limits_step(tried, key)


def _first_call(service: Service, model: str) -> ServiceReply:
    """The smallest chat call; newer models want their cap under its newer name."""
    body: dict[str, object] = {"model": model, "messages": [{"role": "user", "content": "ping"}]}
    reply = service.ask("POST", "/chat/completions", {**body, "max_tokens": 16})
    if reply.status == 400 and "max_tokens" in msgspec.json.encode(reply.body).decode():
        reply = service.ask("POST", "/chat/completions", {**body, "max_completion_tokens": 16})
    return reply


def _format_step(tried: ServiceReply | None, key: str) -> ChecklistStep:
    if tried is None:
        return _not_run("request_format", "no chat model to try it with; name one with --model")
    if 300 <= tried.status < 400:
        where = hidden(tried.headers.get("location", "elsewhere"), key)
        reason = f"{tried.url} answers with a redirect to {where}, which turns a POST into a GET"
        return _red("request_format", tried, reason, "use the address it redirects to as the base URL")
    if tried.status == 200:
        if not (isinstance(tried.body, dict) and isinstance(tried.body.get("choices"), list)):
            reason = "the answer to a chat call has no `choices`: this is no OpenAI-compatible address"
            return _red("request_format", tried, reason, "check the path of the base URL, usually it ends in /v1")
        return _green("request_format", tried, "a chat call in OpenAI's format is answered")
    if _blames_model(tried) or tried.status in (403, 429):
        return _green("request_format", tried, "the format was accepted; the call ended for another reason")
    if 400 <= tried.status < 500:
        cure = "mend what the message names; a plain chat call should be accepted"
        return _red("request_format", tried, hidden(tried.message, key), cure)
    reason = f"the service failed, so the format could not be judged: {hidden(tried.message, key)}"
    return ChecklistStep(
        id="request_format", state="not_run", reason=reason, cure="try again later", request_id=tried.request_id
    )


def _model_step(
    chosen: str | None, named: bool, names: list[str], tried: ServiceReply | None, key: str
) -> ChecklistStep:
    if chosen is None or tried is None:
        return _not_run("model", "the service lists no chat model; name one with --model")
    shown = f"{chosen!r}" if named else f"{chosen!r} (chosen from the service's list)"
    if tried.status == 200:
        return _green("model", tried, f"{shown} answers")
    if _blames_model(tried) or (names and chosen not in names):
        hint = f"; did you mean {nearest(chosen, names)!r}" if names and chosen not in names else ""
        cure = f"use a name from GET /v1/models, letter case included{hint}"
        return _red("model", tried, f"{shown}: {hidden(tried.message, key)}", cure)
    if tried.status == 429:
        return _green("model", tried, f"{shown} is known; the call was refused by a limit")
    if tried.status == 403:
        return _green("model", tried, f"{shown} is known; the call ended with: {hidden(tried.message, key)}")
    if chosen in names:
        return _green("model", tried, f"{shown} is on the service's list")
    return _not_run("model", f"the call did not get as far as the model: {hidden(tried.message, key)}")


def _limits_step(tried: ServiceReply | None, key: str) -> ChecklistStep:
    """One call cannot show how near a limit is; that it passed them all, or which one refused it, it can."""
    if tried is None:
        return _not_run("rate_limits", "no call was tried")
    if tried.status == 200:
        return _green("rate_limits", tried, "the call passed every limit, and there was money for it")
    if tried.status != 429:
        return _not_run("rate_limits", "the call ended before limits and money could be judged")
    wait = tried.headers.get("retry-after")
    if tried.code == "insufficient_quota":
        cure = "add money, or have the budget that the message names raised: trying again does not help"
    elif tried.headers.get("x-should-retry") == "false" or wait is None:
        cure = "have the limit that the message names raised, or send less"
    else:
        cure = f"wait {wait} s as `Retry-After` says, send fewer calls, or have the limit raised"
    return _red("rate_limits", tried, hidden(tried.message, key), cure)


def odd_key(key: str) -> str | None:
    """What can be told of a key without asking: reasons name places and characters, never the key."""
    bare = key.strip()
    if not bare:
        return "the key is empty"
    if bare[0] in "\"'" or bare[-1] in "\"'":
        return "the key stands in quotes; they are not part of it"
    if bare.lower().startswith("bearer"):
        return "the key begins with the word Bearer, which is not part of it"
    for position, character in enumerate(bare):
        if not "!" <= character <= "~":
            return f"character {position + 1} of the key (U+{ord(character):04X}) cannot be part of one"
    if secrets.parse(bare) == "damaged":
        return "the key is damaged: its checksum does not fit, so it was cut or mistyped"
    return None


def _refused(reply: ServiceReply, key: str) -> ChecklistStep:
    cure = "use a key of this very service that is neither expired nor revoked"
    return _red("api_key", reply, hidden(reply.message, key), cure)


def _is_no_service(reply: ServiceReply) -> bool:
    return not isinstance(reply.body, dict | list) or (reply.status == 404 and not _blames_model(reply))


def _no_service(reply: ServiceReply) -> ChecklistStep:
    reason = f"{reply.url} answers HTTP {reply.status}, but not as an OpenAI-compatible service does"
    return _red("api_key", reply, reason, "check the base URL: usually it ends in /v1")


def _blames_model(reply: ServiceReply) -> bool:
    error = reply.body.get("error") if isinstance(reply.body, dict) else None
    param = error.get("param") if isinstance(error, dict) else None
    return reply.code in ("model_not_found", "model_not_allowed", "model_not_priced") or param == "model"


def listed_models(reply: ServiceReply) -> list[str]:
    """The ids in the answer to `GET /models`; none where it is another answer."""
    data = reply.body.get("data") if reply.status == 200 and isinstance(reply.body, dict) else None
    if not isinstance(data, list):
        return []
    return [entry["id"] for entry in data if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


def chat_model(names: list[str]) -> str | None:
    """The first that seems to chat."""
    return next((name for name in names if not any(word in name.lower() for word in _NO_CHAT)), None)


def hidden(words: str, key: str) -> str:
    """A service's words without the key, should it echo it."""
    bare = key.strip()
    return words.replace(bare, "[key]") if bare else words


def _green(step: StepId, reply: ServiceReply, reason: str) -> ChecklistStep:
    return ChecklistStep(id=step, state="green", reason=reason, cure="", request_id=reply.request_id)


def _red(step: StepId, reply: ServiceReply, reason: str, cure: str) -> ChecklistStep:
    docs = reply.body.get("error") if isinstance(reply.body, dict) else None
    docs_url = docs.get("doc_url") if isinstance(docs, dict) else None
    return ChecklistStep(
        id=step,
        state="red",
        reason=reason,
        cure=cure,
        code=reply.code,
        request_id=reply.request_id,
        docs_url=docs_url if isinstance(docs_url, str) else None,
    )


def _not_run(step: StepId, reason: str) -> ChecklistStep:
    return ChecklistStep(id=step, state="not_run", reason=reason, cure="")


__all__ = ["BadBaseUrl", "ChecklistStep", "Diagnosis", "diagnose"]
