"""/console/playground: a call from the browser, with what it cost and the code that makes the same."""

import json
from typing import Any

from tollhouse.console.page_call import PageAnswer, ask
from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.account import ApiKey
from tollhouse.core.failure import BadRequest, Failure, Overloaded
from tollhouse.services import models, reach

_TEXT_MAX = 100_000
_KEYS_MAX = 200


@page("GET /console/playground", may="playground.call")
async def form(visit: Visit) -> Answer:
    return _shown(visit, None, None)


@page("POST /console/playground", may="playground.call", waits=True)
async def call(visit: Visit) -> Answer:
    running = visit.context.running
    if running is None:
        raise Overloaded("only a server that runs makes calls")
    try:
        key = reach.key(visit.context.services, visit.actor, visit.given("key"))
        answer = await ask(running.gateway, key, _body(visit), visit.address)
    except Failure as failure:
        return _shown(visit, None, failure)
    return _shown(visit, answer, answer.failure)


def _body(visit: Visit) -> dict[str, Any]:
    """Raises BadRequest."""
    text, system = visit.given("text"), visit.given("system")
    if not text:
        raise BadRequest("text: write what the model is to answer", param="text")
    if len(text) + len(system) > _TEXT_MAX:
        raise BadRequest(f"text: at most {_TEXT_MAX} characters are sent from here", param="text")
    messages = [{"role": "system", "content": system}] if system else []
    body: dict[str, Any] = {"model": visit.given("model"), "messages": [*messages, {"role": "user", "content": text}]}
    try:
        if visit.given("max_tokens"):
            body["max_tokens"] = int(visit.given("max_tokens"))
        if visit.given("temperature"):
            body["temperature"] = float(visit.given("temperature"))
    except ValueError:
        raise BadRequest("max_tokens and temperature are numbers", param="max_tokens") from None
    return body


def _shown(visit: Visit, answer: PageAnswer | None, trouble: Failure | None) -> Shown:
    services, account = visit.context.services, visit.shown_account
    keys = [one for one in services.directory.keys_of(account.id) if _calls(one)]
    keys.sort(key=lambda one: (one.mode != "test", -one.created_at_ms))
    offered = [one.model.id for one in models.offered(services, account)]
    return Shown(
        "playground.html",
        {
            "keys": keys[:_KEYS_MAX],
            "models": offered,
            "given": visit.given,
            "model": visit.given("model") or visit.asked("model"),
            "answer": answer,
            "trouble": trouble,
            "code": "" if trouble is not None and answer is None else _code(visit),
        },
        200 if trouble is None else trouble.status,
    )


def _calls(key: ApiKey) -> bool:
    return key.mode != "admin" and key.state == "active" and "inference" in key.scopes


def _code(visit: Visit) -> str:
    """The same call as curl; empty before there is one."""
    if not visit.given("text"):
        return ""
    data = json.dumps(_body(visit), ensure_ascii=False).replace("'", "'\\''")
    return (
        f"curl {visit.base_url}/v1/chat/completions \\\n"
        '  -H "Authorization: Bearer $TOLLHOUSE_API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{data}'"
    )
