"""The troubleshooting checklist, tried live against a service: API key, request format, model, limits, and an error.

A check costs at most a few tokens of the model it is tried with. Reasons never hold the key.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from tollhouse.access.exposed import without_keys
from tollhouse.checklist.endpoint import OPERATIONS
from tollhouse.checklist.error_text import judge_error
from tollhouse.checklist.key import read_key
from tollhouse.checklist.model import meant
from tollhouse.checklist.request import ReadRequest, read_request
from tollhouse.checklist.steps import ChecklistStep, Diagnosis, StepId, Trouble, diagnosed, green, not_run, red
from tollhouse.cli.other_formats import OTHER_FORMATS, send, with_others
from tollhouse.cli.service import BadBaseUrl, Service, ServiceReply, Unreachable, base_urls
from tollhouse.core.failure_words import words_of
from tollhouse.formats import codecs

_NO_CHAT = ("embed", "moderation", "whisper", "tts", "audio", "image", "dall-e", "rerank", "realtime", "sora", "video")
_ANSWERS = ("choices", "output", "data", "results", *(one.answers for one in OTHER_FORMATS.values()))
"""Members with a list, one of which an answer has."""
_OF_THE_KEY = ("scope_missing", "key_frozen", "account_suspended", "ip_not_allowed")
"""Codes of a 403 that is about the key, whatever is called with it."""
_LATER: tuple[StepId, ...] = ("request_format", "model", "rate_limits")


class CheckInput(Struct, frozen=True, kw_only=True):
    """What is to be checked besides the service: `body` of a request to `endpoint`, sent only if `sends`; `error` as it
    came; `every_format`: those of Anthropic and Gemini too."""

    model: str | None = None
    endpoint: str = ""
    every_format: bool = False
    body: str | None = None
    sends: bool = False
    error: str = ""


def diagnose(base_url: str, key: str, model: str | None = None, given: CheckInput | None = None) -> Diagnosis:
    """Try steps 1 to 4 against a service, and read an error. Raises BadBaseUrl."""
    urls = base_urls(base_url)
    given = given or CheckInput()
    model = model or given.model
    endpoint = urlsplit(given.endpoint).path  # its host is that of the service
    request = read_request(endpoint, {}, given.body, {} if given.body is None else codecs(), "")
    typed = read_key(key)
    last = _error_step(given.error, key)
    if typed.trouble is not None:
        return diagnosed((red("api_key", typed.trouble), *_blocked(request, "needs a working key"), last))
    service = Service(base_urls=urls, key=typed.text)
    return diagnosed((*_live(service, key, model, request, given), last))


def _error_step(error: str, key: str) -> ChecklistStep:
    if not error.strip():
        return not_run("error_body", "this check was given no error body")
    step = judge_error(error, "")
    return ChecklistStep(
        id="error_body",
        state=step.state,
        reason=without_keys(hidden(step.reason, key)),
        cure=str(step.cure),
        code=step.code,
        request_id=step.request_id,
    )


def _blocked(request: ReadRequest, why: str) -> tuple[ChecklistStep, ...]:
    """What a call would show; a body was judged without one."""
    blocked = tuple(not_run(step, why) for step in _LATER)
    return (_plain(request.step), *blocked[1:]) if request.step.state == "red" else blocked


def _live(
    service: Service, key: str, model: str | None, request: ReadRequest, given: CheckInput
) -> tuple[ChecklistStep, ...]:
    """Steps 1 to 4."""
    try:
        listed = service.ask("GET", "/models")
        if listed.status in (401, 403):
            return _refused(listed, key), *_blocked(request, "needs a working key")
        if _is_page(listed):
            return _no_service(listed), *_blocked(request, "needs a service")
        names = listed_models(listed)
        chosen = model or request.model or chat_model(names)
        tried = None if chosen is None else _first_call(service, chosen)
        sent = _send(service, request, given)
    except Unreachable as error:
        reason = f"cannot reach {service.base_urls[0]}: {error}"
        cure = "check host, port and scheme of the base URL, and whether a proxy or firewall stands between"
        return red("api_key", Trouble(reason, cure)), *_blocked(request, "needs a service that answers")
    if tried is not None and (tried.status == 401 or tried.code in _OF_THE_KEY):
        return _refused(tried, key), *_blocked(request, "needs a working key")
    accepted = listed if listed.status == 200 or tried is None else tried
    if _is_no_service(accepted):
        return _no_service(accepted), *_blocked(request, "needs a service")
    if accepted.status >= 500:
        words = f"the service failed before the key could be judged: {hidden(accepted.message, key)}"
        first = not_run("api_key", words)
    else:
        first = green("api_key", "the service accepts the key")
    format_step = _plain(request.step) if request.step.state == "red" else _format_step(sent or tried, key)
    if given.every_format and format_step.state == "green" and chosen is not None:
        format_step = with_others(format_step, service, chosen, lambda words: hidden(words, key))
    return first, format_step, _model_step(chosen, model is not None, names, tried, key), _limits_step(tried, key)


def _first_call(service: Service, model: str) -> ServiceReply:
    """The smallest chat call; newer models want their cap under its newer name."""
    body: dict[str, object] = {"model": model, "messages": [{"role": "user", "content": "ping"}]}
    reply = service.ask("POST", "/chat/completions", {**body, "max_tokens": 16})
    if reply.status == 400 and "max_tokens" in msgspec.json.encode(reply.body).decode():
        reply = service.ask("POST", "/chat/completions", {**body, "max_completion_tokens": 16})
    return reply


def _send(service: Service, request: ReadRequest, given: CheckInput) -> ServiceReply | None:
    """The very request, answered in one piece: what is wrong with it then stands in one error."""
    if not given.sends or given.body is None or request.step.state == "red":
        return None
    body = msgspec.json.decode(given.body.encode())
    if request.format in OTHER_FORMATS:
        stream = {"stream": False} if "stream" in body else {}
        return send(service, request.format, request.model, {**body, **stream})
    body.pop("stream_options", None)
    path = next(path for path, operation in OPERATIONS.items() if operation == request.operation)
    return service.ask("POST", path.removeprefix("/v1"), {**body, "stream": False})


def _format_step(tried: ServiceReply | None, key: str) -> ChecklistStep:
    if tried is None:
        return not_run("request_format", "no chat model to try it with; name one with --model")
    if 300 <= tried.status < 400:
        where = hidden(tried.headers.get("location", "elsewhere"), key)
        reason = f"{tried.url} answers with a redirect to {where}, which turns a POST into a GET"
        return _red("request_format", tried, reason, "use the address it redirects to as the base URL")
    if tried.status == 200:
        return _answered(tried, key)
    if _blames_model(tried) or tried.status in (403, 429):
        return _green("request_format", tried, "the format was accepted; the call ended for another reason")
    if 400 <= tried.status < 500:
        cure = "mend what the message names; a plain chat call should be accepted"
        return _red("request_format", tried, hidden(tried.message, key), cure)
    reason = f"the service failed, so the format could not be judged: {hidden(tried.message, key)}"
    return ChecklistStep(
        id="request_format", state="not_run", reason=reason, cure="try again later", request_id=tried.request_id
    )


def _answered(tried: ServiceReply, key: str) -> ChecklistStep:
    body = tried.body if isinstance(tried.body, dict) else {}
    if isinstance(body.get("error"), dict | str) and body["error"]:
        words = words_of(tried.code or "", 429) or words_of(tried.code or "", 400)
        reason = f"the service answers 200, as if all were well, with an error inside: {hidden(tried.message, key)}"
        cure = words.cure if words else "mend what the message names, and tell whoever runs the service of the 200"
        return _red("request_format", tried, reason, cure)
    if not any(isinstance(body.get(name), list) for name in _ANSWERS):
        reason = "the answer to a chat call has no `choices`: this is no OpenAI-compatible address"
        return _red("request_format", tried, reason, "check the path of the base URL, usually it ends in /v1")
    return _green("request_format", tried, "a chat call in OpenAI's format is answered")


def _model_step(
    chosen: str | None, named: bool, names: list[str], tried: ServiceReply | None, key: str
) -> ChecklistStep:
    if chosen is None or tried is None:
        return not_run("model", "the service lists no chat model; name one with --model")
    shown = f"{chosen!r}" if named else f"{chosen!r} (chosen from the service's list)"
    if tried.status == 200 and not _holds_error(tried):
        return _green("model", tried, f"{shown} answers")
    if _blames_model(tried) or (names and chosen not in names):
        near = meant(chosen, names) if names and chosen not in names else ()
        hint = f"; did you mean {near[0]!r}" if near else ""
        cure = f"use a name from GET /v1/models, letter case included{hint}"
        return _red("model", tried, f"{shown}: {hidden(tried.message, key)}", cure)
    if tried.status == 429:
        return _green("model", tried, f"{shown} is known; the call was refused by a limit")
    if tried.status == 403:
        return _green("model", tried, f"{shown} is known; the call ended with: {hidden(tried.message, key)}")
    if chosen in names:
        return _green("model", tried, f"{shown} is on the service's list")
    return not_run("model", f"the call did not get as far as the model: {hidden(tried.message, key)}")


def _limits_step(tried: ServiceReply | None, key: str) -> ChecklistStep:
    """One call cannot show how near a limit is; that it passed them all, or which one refused it, it can."""
    if tried is None:
        return not_run("rate_limits", "no call was tried")
    if tried.status == 200 and not _holds_error(tried):
        return _green("rate_limits", tried, f"the call passed every limit, and there was money for it{_left(tried)}")
    if tried.status != 429:
        return not_run("rate_limits", "the call ended before limits and money could be judged")
    wait = tried.headers.get("retry-after")
    if tried.code == "insufficient_quota":
        cure = "add money, or have the budget that the message names raised: trying again does not help"
    elif tried.headers.get("x-should-retry") == "false" or wait is None:
        cure = "have the limit that the message names raised, or send less"
    else:
        cure = f"wait {wait} s as `Retry-After` says, send fewer calls, or have the limit raised"
    return _red("rate_limits", tried, hidden(tried.message, key), cure)


def _left(tried: ServiceReply) -> str:
    """What is left of a minute's limits, where the service tells it."""
    told = []
    for kind in ("requests", "tokens"):
        left, limit = (tried.headers.get(f"x-ratelimit-{part}-{kind}") for part in ("remaining", "limit"))
        if left and limit:
            told.append(f"{left} of {limit} {kind}")
    return f"; left of this minute: {', '.join(told)}" if told else ""


def _refused(reply: ServiceReply, key: str) -> ChecklistStep:
    cure = "use a key of this very service that is neither expired nor revoked"
    return _red("api_key", reply, hidden(reply.message, key), cure)


def _is_page(reply: ServiceReply) -> bool:
    return reply.is_page and reply.status < 400


def _is_no_service(reply: ServiceReply) -> bool:
    return not isinstance(reply.body, dict | list) or (reply.status == 404 and not _blames_model(reply))


def _no_service(reply: ServiceReply) -> ChecklistStep:
    if reply.is_page:
        reason = f"{reply.url} answers HTTP {reply.status} with a page of HTML, such as a login or a console"
        cure = "check the base URL (usually it ends in /v1), and whether a login or a proxy stands before the service"
        return _red("api_key", reply, reason, cure)
    reason = f"{reply.url} answers HTTP {reply.status}, but not as an OpenAI-compatible service does"
    return _red("api_key", reply, reason, "check the base URL: usually it ends in /v1")


def _holds_error(reply: ServiceReply) -> bool:
    return isinstance(reply.body, dict) and bool(reply.body.get("error"))


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


def _plain(step: ChecklistStep) -> ChecklistStep:
    return red(step.id, Trouble(str(step.reason), str(step.cure), step.code))


def _green(step: StepId, reply: ServiceReply, reason: str) -> ChecklistStep:
    return green(step, reason, reply.request_id)


def _red(step: StepId, reply: ServiceReply, reason: str, cure: str) -> ChecklistStep:
    docs: Mapping[str, Any] | object = reply.body.get("error") if isinstance(reply.body, dict) else None
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


__all__ = ["BadBaseUrl", "CheckInput", "ChecklistStep", "Diagnosis", "diagnose"]
