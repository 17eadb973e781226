"""Asking a provider for its models, with each of its keys: the cheapest call that shows address and key work."""

from collections.abc import Collection
from typing import Final, Literal

import msgspec
from msgspec import Struct

from tollhouse.core.failure import Failure, UpstreamRefusedKey, UpstreamSaturated, UpstreamUnreachable
from tollhouse.core.upstream import Deadlines, UpstreamRequest, UpstreamResponse
from tollhouse.gateway.destination import Destination
from tollhouse.providers import Kind, base_url, model_list, redirect
from tollhouse.providers.foreign_keys import foreign_vendor

_DEADLINES: Final = Deadlines(connect_ms=5_000, first_byte_ms=15_000, idle_ms=10_000, total_ms=30_000)
_ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024


class ProviderTrial(Struct, frozen=True, kw_only=True, tag_field="object", tag="provider_check"):
    """`key` counts from 1, 0 where the provider has none; `url` is where a chat call goes."""

    provider: str
    key: int
    url: str
    state: Literal["green", "red", "not_run"]
    reason: str
    cure: str = ""


async def trials(destination: Destination, now_ms: int, asked: Collection[str] = ()) -> list[ProviderTrial]:
    """One for each key, one after another: a provider must not see a burst. asked: its models that are offered, by its
    own names for them."""
    return [await _trial(destination, slot, now_ms, asked) for slot in range(max(1, len(destination.keys)))]


async def _trial(destination: Destination, slot: int, now_ms: int, asked: Collection[str]) -> ProviderTrial:
    provider, kind = destination.provider, destination.kind
    url = "" if kind.in_process else base_url.final_url(kind, provider.base_url, "chat")
    position = slot + 1 if destination.keys else 0
    tried = ProviderTrial(provider=provider.id, key=position, url=url, state="green", reason="answers in this process")
    if kind.in_process:
        return tried
    if not kind.models_path:
        return await _token_alone(tried, destination, slot, now_ms)
    call = UpstreamRequest(
        route=destination.route,
        method=b"GET",
        target=f"{destination.path}{kind.models_path}".encode(),
        headers=destination.headers(slot, []),
        body=b"",
        deadlines=_DEADLINES,
    )
    try:
        await destination.sign(slot, call, now_ms)
        answer = await destination.upstream.send(call)
        body = bytearray()
        while len(body) <= _ANSWER_BYTES_MAX and (piece := await answer.read()):
            body += piece
        answer.abort()
    except Failure as failure:
        return msgspec.structs.replace(tried, state="red", reason=failure.message, cure=_cure(failure))
    if 300 <= answer.status < 400:
        seen = redirect.read(kind, provider.base_url, answer.status, answer.headers)
        return msgspec.structs.replace(tried, state="red", reason=seen.reason, cure=seen.cure)
    key = destination.keys[slot] if destination.keys else ""
    return _judged(tried, kind, answer, bytes(body), foreign_vendor(kind, provider.base_url, key), asked)


async def _token_alone(tried: ProviderTrial, destination: Destination, slot: int, now_ms: int) -> ProviderTrial:
    """Without a list of models; a key that is exchanged for a token is at least known to be good for one."""
    title, tokens = destination.kind.title, destination.tokens
    reason, cure = f"{title} has no list of models, so address and key are not tried", "call a model that it serves"
    if tokens:
        try:
            await tokens[slot].get(now_ms)
        except Failure as failure:
            return msgspec.structs.replace(tried, state="red", reason=failure.message, cure=_cure(failure))
        reason = f"the key is good for a token; {title} has no list of models, so the address is not tried"
    return msgspec.structs.replace(tried, state="not_run", reason=reason, cure=cure)


def _cure(failure: Failure) -> str:
    if isinstance(failure, UpstreamUnreachable):
        return "check host, port and network"
    return "put a valid key into api_keys" if isinstance(failure, UpstreamRefusedKey) else "try again later"


def _judged(
    tried: ProviderTrial, kind: Kind, answer: UpstreamResponse, body: bytes, vendor: str, asked: Collection[str]
) -> ProviderTrial:
    status = answer.status

    def red(reason: str, cure: str) -> ProviderTrial:
        return msgspec.structs.replace(tried, state="red", reason=reason, cure=cure)

    if status == 200:
        try:
            listed = model_list.read(msgspec.json.decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return red(f"what answers is no service of {kind.title}: no JSON", "check the path of base_url")
        reason = "answers" if listed is None else f"answers, {len(listed.names)} models"
        missing = "" if listed is None else listed.missing(asked)
        cure = "if calls to it fail, correct the offer's model" if missing else ""
        return msgspec.structs.replace(tried, reason=f"{reason}{missing}", cure=cure)
    fault = kind.read_error("chat", status, answer.headers, body)
    if status in (401, 403) or isinstance(fault.failure, UpstreamRefusedKey):
        begins = f": it begins as a key of {vendor} does" if vendor else ""
        return red(f"the provider refuses the key (HTTP {status}){begins}", "put a valid key into api_keys")
    if isinstance(fault.failure, UpstreamSaturated):
        reason = f"address and key work; the provider is saturated now (HTTP {status})"
        return msgspec.structs.replace(tried, reason=reason)
    if fault.blame == "key":
        return red(f"the account of this key is out of credit (HTTP {status})", "pay the provider, or use another key")
    if status == 404:
        return red("there is no list of models at this address (HTTP 404)", "check the path of base_url")
    return red(f"the provider answers HTTP {status}", "try again later, or ask the provider")
