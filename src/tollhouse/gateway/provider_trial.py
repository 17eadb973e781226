"""Asking a provider for its models, with each of its keys: the cheapest call that shows address and key work."""

from typing import Final, Literal

import msgspec
from msgspec import Struct

from tollhouse.core.failure import Failure, UpstreamRefusedKey, UpstreamUnreachable
from tollhouse.core.upstream import Deadlines, UpstreamRequest
from tollhouse.gateway.destination import Destination
from tollhouse.providers import base_url, redirect

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


async def trials(destination: Destination, now_ms: int) -> list[ProviderTrial]:
    """One for each key, one after another: a provider must not see a burst."""
    return [await _trial(destination, slot, now_ms) for slot in range(max(1, len(destination.keys)))]


async def _trial(destination: Destination, slot: int, now_ms: int) -> ProviderTrial:
    provider, kind = destination.provider, destination.kind
    url = "" if kind.in_process else base_url.final_url(kind, provider.base_url, "chat")
    position = slot + 1 if destination.keys else 0
    tried = ProviderTrial(provider=provider.id, key=position, url=url, state="green", reason="answers in this process")
    if kind.in_process:
        return tried
    if not kind.models_path:
        reason = f"{kind.title} has no list of models, so address and key are not tried"
        return msgspec.structs.replace(tried, state="not_run", reason=reason, cure="call a model that it serves")
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
    return _judged(tried, answer.status, bytes(body))


def _cure(failure: Failure) -> str:
    if isinstance(failure, UpstreamUnreachable):
        return "check host, port and network"
    return "put a valid key into api_keys" if isinstance(failure, UpstreamRefusedKey) else "try again later"


def _judged(tried: ProviderTrial, status: int, body: bytes) -> ProviderTrial:
    def red(reason: str, cure: str) -> ProviderTrial:
        return msgspec.structs.replace(tried, state="red", reason=reason, cure=cure)

    if status in (401, 403):
        return red(f"the provider refuses the key (HTTP {status})", "put a valid key into api_keys")
    if status == 429:
        return msgspec.structs.replace(tried, reason="address and key work; the provider is saturated now (HTTP 429)")
    if status == 404:
        return red("there is no list of models at this address (HTTP 404)", "check the path of base_url")
    if status != 200:
        return red(f"the provider answers HTTP {status}", "try again later, or ask the provider")
    try:
        listed = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return red("what answers is no OpenAI-compatible service: no JSON", "check the path of base_url")
    data = listed.get("data") if isinstance(listed, dict) else None
    count = f", {len(data)} models" if isinstance(data, list) else ""
    return msgspec.structs.replace(tried, reason=f"answers{count}")
