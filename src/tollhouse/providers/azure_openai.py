"""Azure OpenAI, where a model is a deployment that an operator has named.

An offer's model is the deployment's name, called by `/openai/v1`, which needs no version; with
`NAME?api-version=preview` it is called there, with what is in preview. With `NAME?api-version=2024-10-21` it is called
by the older path of deployments, in that version; there Responses are asked for as a chat. A base URL may be the
resource's host alone, or any path that Azure shows.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import quote

import msgspec
from msgspec import structs

from tollhouse.core.catalogue import TextFormat
from tollhouse.core.operation import WIRE_FORMATS, Operation
from tollhouse.providers.error_rules import reader, rule
from tollhouse.providers.headers import with_key_in
from tollhouse.providers.kind import CAPS, Kind, UpstreamTarget
from tollhouse.providers.openai_target import translated_to
from tollhouse.providers.targets import OWN_FORMATS, choose

_VERSIONED: Final = re.compile(r"(.+)\?api-version=([A-Za-z0-9.-]{1,40})", re.ASCII)
_DEPLOYMENT: Final = re.compile(r"/deployments(?:/.*)?\Z")
_OF_DEPLOYMENTS: Final[Mapping[Operation, str]] = {
    "chat": "/chat/completions",
    "completions": "/completions",
    "embeddings": "/embeddings",
    "images": "/images/generations",
    "image_edits": "/images/edits",
    "speech": "/audio/speech",
    "transcriptions": "/audio/transcriptions",
    "translations": "/audio/translations",
}
_FORMS: Final = frozenset(WIRE_FORMATS[one] for one in ("image_edits", "transcriptions", "translations"))
_OF_V1: Final = ("v1", "latest", "preview")
"""Versions of the newer path, which are no dates."""
RULES: Final = (
    rule(
        "no_permission",
        says=r"access denied|public access is disabled|the principal",
        status=403,
        source="docs: networks",
    ),
    rule(
        "overloaded",
        says=r"(?:the )?system is (?:currently )?experiencing high demand|engine is overloaded",
        status=429,
        source="docs",
    ),
)
_by_model_in_body: Final = choose(
    text={"openai_chat": "/v1/chat/completions", "openai_responses": "/v1/responses"},
    others={one: f"/v1{path}" for one, path in _OF_DEPLOYMENTS.items() if one != "chat"},
)


def target(operation: Operation, model: str, stream: bool, speaks: Collection[TextFormat]) -> UpstreamTarget | None:
    """See `Kind.target`."""
    found = _VERSIONED.fullmatch(model)
    if found is None:
        return _by_model_in_body(operation, model, stream, speaks)
    if found[2] in _OF_V1:
        return _with_version(_by_model_in_body(operation, found[1], stream, speaks), found[1], found[2])
    asked = operation if operation in _OF_DEPLOYMENTS else "chat"
    if operation in OWN_FORMATS:
        if not {"openai_chat", "openai_responses"}.intersection(speaks):
            return None
    elif operation not in _OF_DEPLOYMENTS:
        return None
    path = f"/deployments/{quote(found[1], safe='')}{_OF_DEPLOYMENTS[asked]}?api-version={found[2]}"
    return UpstreamTarget(path, WIRE_FORMATS[asked])


def _with_version(target: UpstreamTarget | None, model: str, version: str) -> UpstreamTarget | None:
    """A form is sent with the model as the offer has it, so that none goes there."""
    if target is None or target.format in _FORMS:
        return None
    named = {"model": msgspec.json.encode(model)}
    return structs.replace(target, path=f"{target.path}?api-version={version}", members=named)


def base_path(written: str) -> str:
    """See `Kind.base_path`."""
    path = _DEPLOYMENT.sub("", written.removesuffix("/openai/v1"))
    return path if path.endswith("/openai") else f"{path}/openai"


KIND: Final = Kind(
    name="azure_openai",
    title="Azure OpenAI",
    example="https://RESOURCE.openai.azure.com",
    base_path=base_path,
    speaks=("openai_chat", "openai_responses"),
    target=target,
    translated_to=translated_to,
    caps={**CAPS, "chat": ("max_completion_tokens",)},
    make_headers=with_key_in(b"api-key"),
    read_error=reader(*RULES),
    models_path="/v1/models",
)
