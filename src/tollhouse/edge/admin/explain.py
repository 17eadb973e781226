"""/api/v1/explain"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from tollhouse.core.account import ApiKey, Identity
from tollhouse.core.failure import BadRequest, Overloaded, PathNotFound
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Headers
from tollhouse.edge import paths
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.explanations import ExplanationObject, explanation_object
from tollhouse.edge.admin.receipts import receipt_object
from tollhouse.edge.admin.requests import may_see_provider
from tollhouse.edge.admin.route import OWN, AdminRequest, route
from tollhouse.gateway.explain import explain, explain_again
from tollhouse.gateway.ports import GatewayContext
from tollhouse.services import reach, receipts

_TOLD_BY: Final[Mapping[str, Operation]] = {"messages": "chat", "prompt": "completions", "input": "responses"}


class Proposal(Struct, frozen=True, kw_only=True):
    """A call that is not made: `body` as it would be sent, an object or, byte for byte, a text. `path` as of the LLM
    API; absent: by what the body holds (messages, prompt, input). Or `request`: a call that was made."""

    key: str | None = None  # id or unique name; an API key asks about itself
    body: Raw = field(default_factory=Raw)
    path: str | None = None
    headers: dict[str, str] = {}  # such as x-tollhouse-max-cost-usd
    request: str | UnsetType = UNSET


@route("explain", "POST /api/v1/explain", OWN, "What would happen to a call, without making it")
async def explained(context: AdminContext, request: AdminRequest[Proposal]) -> ExplanationObject:
    proposal = request.body
    if isinstance(proposal.request, str):
        return await _again(context, request, proposal.request)
    body = _body(proposal.body)
    endpoint, headers = _endpoint(proposal.path, body), _headers(proposal.headers)
    identity = _identity(context, _key(context, request, proposal.key))
    found = await explain(
        _gateway(context),
        identity,
        endpoint.operation or "chat",
        headers,
        body,
        dialect=endpoint.dialect,
        model_in_path=endpoint.model,
        stream=endpoint.stream,
    )
    return explanation_object(found, request.now_ms, show_provider=may_see_provider(context, request.actor.account_id))


async def _again(context: AdminContext, request: AdminRequest[Proposal], request_id: str) -> ExplanationObject:
    """A call that was made: its receipt, and what it would meet now. Both are in the database: no server need run."""
    receipt = await receipts.show(context.services, request.actor, request_id, request.own_key_id)
    key = context.services.directory.keys.get(receipt.call.key_id)
    if key is None:
        raise PathNotFound(f"no key {receipt.call.key_id}")
    found = await explain_again(context.at_rest or _gateway(context), _identity(context, key), receipt.call)
    open_names = may_see_provider(context, request.actor.account_id)
    shown = receipt_object(receipt, show_provider=open_names, is_operator=request.actor.account_id is None)
    return explanation_object(found, request.now_ms, show_provider=open_names, receipt=shown)


def _gateway(context: AdminContext) -> GatewayContext:
    if context.gateway is None:
        raise Overloaded("only a server that runs knows what is held and used: start `tollhouse serve`")
    return context.gateway


def _key(context: AdminContext, request: AdminRequest[Proposal], reference: str | None) -> ApiKey:
    """Whose call it would be. An API key speaks of itself; any other is one that was never made."""
    reference = reference or request.own_key_id
    if reference is None:
        raise BadRequest("key: say whose call it would be, by the key's id or name", param="key")
    return reach.key(context.services, request.actor, reference)


def _identity(context: AdminContext, key: ApiKey) -> Identity:
    """As the gateway would find it by the key's newest secret."""
    directory = context.services.directory
    return Identity(
        key=key,
        secret=key.secrets[0],
        account=directory.accounts[key.account_id],
        project=directory.projects[key.project_id],
    )


def _body(proposal: Raw) -> bytes:
    body = bytes(proposal)
    if not body:
        raise BadRequest("body: give the body of the call, or the id of a `request` that was made", param="body")
    if not body.startswith(b'"'):
        return body
    try:
        return msgspec.json.decode(body, type=str).encode()
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise BadRequest("body: this text is not valid", param="body") from None


def _endpoint(path: str | None, body: bytes) -> paths.Endpoint:
    """Where a call goes that somebody proposes; where they name no path, what its body is for says it."""
    if path is None:
        operation = _operation(body)
        return next(one for one in paths.CALLS if (one.dialect, one.operation) == (paths.DEFAULT, operation))
    endpoint = paths.call(path)
    if endpoint is None:
        raise BadRequest(f"path: {path[:80]!r} is no call of the LLM API", param="path")
    return endpoint


def _operation(body: bytes) -> Operation:
    try:
        members: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Raw])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return "chat"  # it will be told what is wrong with its body
    return next((operation for name, operation in _TOLD_BY.items() if name in members), "chat")


def _headers(proposal: Mapping[str, str]) -> Headers:
    try:
        return [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in proposal.items()]
    except UnicodeEncodeError:
        raise BadRequest("headers: a name or a value cannot stand in a header", param="headers") from None
