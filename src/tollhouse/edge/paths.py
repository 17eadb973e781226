"""Which endpoint a path means. The same answer serves authorisation and dispatch, so the two cannot disagree.

Base URLs are typed by people: a doubled slash, a doubled `/v1` or a missing one still finds its endpoint, and
never by a redirect, which would turn a POST into a GET. Nothing else is repaired: `..` is no way to anywhere.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from tollhouse.core.operation import Dialect, Operation


class Endpoint(NamedTuple):
    """`name` says which deed answers a GET; `operation` which call of the LLM API a POST is."""

    path: str
    methods: tuple[str, ...]
    dialect: Dialect
    operation: Operation | None = None
    name: str = ""


CALLS: tuple[Endpoint, ...] = (
    Endpoint("/v1/chat/completions", ("POST",), "openai", "chat"),
    Endpoint("/v1/completions", ("POST",), "openai", "completions"),
    Endpoint("/v1/responses", ("POST",), "openai", "responses"),
    Endpoint("/v1/embeddings", ("POST",), "openai", "embeddings"),
    Endpoint("/v1/moderations", ("POST",), "openai", "moderations"),
)
LOOKUPS: tuple[Endpoint, ...] = (
    Endpoint("/v1/models", ("GET", "HEAD"), "openai", name="models"),
    Endpoint("/v1beta/models", ("GET", "HEAD"), "gemini", name="models"),
    Endpoint("/v1/key", ("GET", "HEAD"), "openai", name="key"),
    *(
        Endpoint(f"/v1/dashboard/billing/{page}", ("GET", "HEAD"), "openai", name=f"billing_{page}")
        for page in ("subscription", "usage", "credit_grants")
    ),
    *(
        Endpoint(f"/v1/organization/usage/{kind}", ("GET", "HEAD"), "openai", name=f"organization_{kind}")
        for kind in ("completions", "embeddings", "moderations", "images", "audio_speeches", "audio_transcriptions")
    ),
    Endpoint("/v1/organization/costs", ("GET", "HEAD"), "openai", name="organization_costs"),
    Endpoint("/api/usage/token", ("GET", "HEAD"), "openai", name="new_api_token"),
    Endpoint("/api/status", ("GET", "HEAD"), "openai", name="new_api_status"),
)
MODEL_ITEMS = ("/v1/models/", "/v1beta/models/")
ENDPOINTS: Final[Mapping[str, Endpoint]] = {endpoint.path: endpoint for endpoint in (*CALLS, *LOOKUPS)}

GEMINI_ACTIONS = frozenset(
    ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents")
)

_NEEDS_NO_PREFIX = (
    "/chat/completions",
    "/completions",
    "/embeddings",
    "/models",
    "/images/",
    "/audio/",
    "/messages",
    "/responses",
    "/rerank",
    "/moderations",
    "/dashboard/billing/",
)


def find(path: str) -> Endpoint | None:
    """The endpoint of a decoded path; None where there is none. A model's own page is `/v1/models/{id}`."""
    endpoint = ENDPOINTS.get(path)
    if endpoint is not None:
        return endpoint
    path = canonical(path)
    endpoint = ENDPOINTS.get(path)
    if endpoint is None and model_of(path) and path.rpartition(":")[2] not in GEMINI_ACTIONS:
        dialect: Dialect = "gemini" if path.startswith("/v1beta/") else "openai"
        return Endpoint(path, ("GET", "HEAD"), dialect, name="model")
    return endpoint


def canonical(path: str) -> str:
    """Repair what base URLs break: `//`, `/v1/v1`, a missing `/v1`. A model id keeps its own slashes."""
    head, found, model = path.partition("/models/")
    while "//" in head:
        head = head.replace("//", "/")
    path = f"{head.rstrip('/')}/models/{model}" if found else head
    while path.startswith("/v1/v1/"):
        path = path[3:]
    if path.startswith(_NEEDS_NO_PREFIX):
        path = "/v1" + path
    if len(path) > 1 and path.endswith("/") and not model:
        path = path[:-1]
    return path


def model_of(path: str) -> str:
    """The model id in a path of a model's own page; empty where the path is none."""
    path = canonical(path)
    for start in MODEL_ITEMS:
        if path.startswith(start):
            return path[len(start) :]
    return ""


def dialect_of(path: str) -> Dialect:
    """In whose words an error on this path is told, also where the path leads nowhere."""
    path = canonical(path)
    if path.startswith("/v1beta/"):
        return "gemini"
    if path.startswith("/v1/messages"):
        return "anthropic"
    if path.startswith("/v1/models/") and path.rpartition(":")[2] in GEMINI_ACTIONS:
        return "gemini"
    return "openai"
