"""Which endpoint a path means. The same answer serves authorisation and dispatch, so the two cannot disagree.

Base URLs are typed by people: a doubled slash, a doubled `/v1` or a missing one still finds its endpoint, and
never by a redirect, which would turn a POST into a GET. Nothing else is repaired: `..` is no way to anywhere.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from tollhouse.access.judge import ACCOUNT, BILL, CALL, LOOK, SELF, Requirement
from tollhouse.core.operation import Dialect, Operation
from tollhouse.formats import codecs, dialects

COUNTING: Final = "count_tokens"
"""The name of endpoints that give the tokens of a call of their operation."""
DEFAULT: Final[Dialect] = "openai"
"""Of paths that several dialects share, or that lead nowhere."""


class Endpoint(NamedTuple):
    """`needs`: what a key must be and have before the handler is entered; None: it is public. `name` says which handler
    answers a GET; `operation` which call of the LLM API a POST is. `model` and `stream`: where the path says them."""

    path: str
    methods: tuple[str, ...]
    dialect: Dialect
    needs: Requirement | None
    operation: Operation | None = None
    name: str = ""
    model: str = ""
    stream: bool | None = None
    form: bool = False  # its body is one, with files


CALLS: tuple[Endpoint, ...] = (
    Endpoint("/v1/chat/completions", ("POST",), "openai", CALL, "chat"),
    Endpoint("/v1/completions", ("POST",), "openai", CALL, "completions"),
    Endpoint("/v1/responses", ("POST",), "openai", CALL, "responses"),
    Endpoint("/v1/embeddings", ("POST",), "openai", CALL, "embeddings"),
    Endpoint("/v1/moderations", ("POST",), "openai", CALL, "moderations"),
    Endpoint("/v1/messages", ("POST",), "anthropic", CALL, "chat"),
    Endpoint("/v1/messages/count_tokens", ("POST",), "anthropic", CALL, "chat", name=COUNTING),
    Endpoint("/v1/rerank", ("POST",), "openai", CALL, "rerank"),
    Endpoint("/v1/images/generations", ("POST",), "openai", CALL, "images"),
    Endpoint("/v1/audio/speech", ("POST",), "openai", CALL, "speech"),
    Endpoint("/v1/images/edits", ("POST",), "openai", CALL, "image_edits", form=True),
    Endpoint("/v1/images/variations", ("POST",), "openai", CALL, "image_variations", form=True),
    Endpoint("/v1/audio/transcriptions", ("POST",), "openai", CALL, "transcriptions", form=True),
    Endpoint("/v1/audio/translations", ("POST",), "openai", CALL, "translations", form=True),
)
LOOKUPS: tuple[Endpoint, ...] = (
    Endpoint("/v1/models", ("GET", "HEAD"), "openai", LOOK, name="models"),
    Endpoint("/v1beta/models", ("GET", "HEAD"), "gemini", LOOK, name="models"),
    Endpoint("/v1/key", ("GET", "HEAD"), "openai", SELF, name="key"),
    *(
        Endpoint(f"/v1/dashboard/billing/{page}", ("GET", "HEAD"), "openai", BILL, name=f"billing_{page}")
        for page in ("subscription", "usage", "credit_grants")
    ),
    *(
        Endpoint(f"/v1/organization/usage/{kind}", ("GET", "HEAD"), "openai", ACCOUNT, name=f"organization_{kind}")
        for kind in (
            *("completions", "embeddings", "moderations", "images", "audio_speeches", "audio_transcriptions"),
            *("vector_stores", "code_interpreter_sessions", "file_search_calls", "web_search_calls"),
        )
    ),
    Endpoint("/v1/organization/costs", ("GET", "HEAD"), "openai", ACCOUNT, name="organization_costs"),
    Endpoint("/api/usage/token", ("GET", "HEAD"), "openai", BILL, name="new_api_token"),
    Endpoint("/api/status", ("GET", "HEAD"), "openai", None, name="new_api_status"),
)
MODEL_ITEMS = ("/v1/models/", "/v1beta/models/")
ENDPOINTS: Final[Mapping[str, Endpoint]] = {endpoint.path: endpoint for endpoint in (*CALLS, *LOOKUPS)}

ACTIONS: Final = frozenset(action for spec in dialects().values() for action in spec.actions)
"""What may be asked of a model behind a colon, by any dialect."""

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


_REPEATED: Final = re.compile(r"\A(?:/v1)+(?=/v1/)")
_GOOGLES: Final = re.compile(
    r"(?:/v1(?:alpha|beta1?)?)*/(v1(?:alpha|beta1?)?)((?:/projects/[^/]{1,100}/locations/[^/]{1,100})?/publishers/[^/]{1,100})?"
    r"(?=/models(?:/|\Z))"
)
"""What Google's libraries write before a model: a version, also behind one that a base URL has already; on Vertex AI
project, location and publisher as well."""


def find(path: str) -> Endpoint | None:
    """The endpoint of a decoded path; None where there is none. A model's own page is `/v1/models/{id}`, also where the
    id ends like an action: pages have none (see `is_action`)."""
    endpoint = ENDPOINTS.get(path)
    if endpoint is not None:
        return endpoint
    path = canonical(path)
    endpoint = ENDPOINTS.get(path)
    if endpoint is None and model_of(path):
        return Endpoint(path, ("GET", "HEAD"), _owner(path) or DEFAULT, LOOK, name="model")
    return endpoint


def is_action(method: str, path: str) -> bool:
    """Whether a request asks a model to do something: `POST /v1beta/models/{id}:generateContent`."""
    return method == "POST" and path.rpartition(":")[2] in ACTIONS and bool(model_of(path))


def call(path: str) -> Endpoint | None:
    """The call of the LLM API that a POST to a path is; None: it is none."""
    found = action(path) if is_action("POST", path) else find(path)
    return found if found is not None and found.operation is not None else None


def action(path: str) -> Endpoint | None:
    """What a path for which `is_action` holds asks for; None: it is not offered."""
    model, _, name = model_of(path).rpartition(":")
    for dialect, spec in dialects().items():
        asked = spec.actions.get(name)
        if asked is not None and asked.operation is not None and (dialect, asked.operation) in codecs() and model:
            name = COUNTING if asked.counts else "action"
            return Endpoint(path, ("POST",), dialect, CALL, asked.operation, name, model, asked.stream)
    return None


def canonical(path: str) -> str:
    """Repair what base URLs break: `//`, `/v1/v1`, a missing `/v1`. A model id keeps its own slashes. Whatever Google's
    libraries write before a model is `/v1beta`, or `/v1`."""
    head, found, model = path.partition("/models/")
    while "//" in head:
        head = head.replace("//", "/")
    path = f"{head.rstrip('/')}/models/{model}" if found else head
    googles = _GOOGLES.match(path)
    if googles is not None:
        path = ("/v1" if googles[1] == "v1" and not googles[2] else "/v1beta") + path[googles.end() :]
    if path.startswith("/v1/v1/"):
        path = _REPEATED.sub("", path)
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
    owner = _owner(path)
    if not owner and path.startswith("/v1/models/"):
        action = path.rpartition(":")[2]
        owner = next((spec.name for spec in dialects().values() if action in spec.actions), "")
    return owner or DEFAULT


def _owner(path: str) -> Dialect:
    """The dialect that a canonical path belongs to; empty: several share it."""
    return next((spec.name for spec in dialects().values() if path.startswith(spec.prefixes)), "")
