"""Every endpoint a request can come to, drawn from the router's own tables: a new endpoint is walked by being there."""

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from tollhouse.console.application import MOVED
from tollhouse.console.route import EVERYBODY, discovered
from tollhouse.console.static import StaticFiles
from tollhouse.core.operation import Operation
from tollhouse.edge.admin.table import TABLE
from tollhouse.edge.paths import COUNTING, ENDPOINTS, MODEL_ITEMS
from tollhouse.edge.status import PATHS

MODEL = "gpt-4o"
PROMPT = "What is a tollhouse?"

BODIES: Final[Mapping[Operation, Mapping[str, object]]] = {
    "chat": {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}]},
    "completions": {"model": MODEL, "prompt": PROMPT},
    "responses": {"model": MODEL, "input": PROMPT},
    "embeddings": {"model": "text-embedding-3-small", "input": PROMPT},
    "moderations": {"model": "omni-moderation-latest", "input": PROMPT},
    "rerank": {"model": "rerank-2.5", "query": PROMPT, "documents": ["A house.", "A toll."]},
    "images": {"model": "gpt-image-1.5", "prompt": PROMPT, "size": "256x256"},
    "speech": {"model": "tts-1", "voice": "alloy", "input": PROMPT},
    "image_edits": {"model": "gpt-image-1.5", "prompt": PROMPT, "image": "a.png", "size": "256x256"},
    "image_variations": {"model": "dall-e-2", "image": "a.png", "size": "256x256"},
    "transcriptions": {"model": "whisper-1", "file": "a.wav"},
    "translations": {"model": "whisper-1", "file": "a.wav"},
}
"""What a call of each operation says at least. A new operation needs a line here."""
BESIDE: Final[Mapping[str, Mapping[str, object]]] = {"anthropic": {"max_tokens": 64}}
"""What the calls of a dialect say besides."""

BEHIND_LINKS: Final = (
    *("/console/password/new", "/console/invitation", "/console/sign-up/finish", "/console/address"),
    "/console/leak",
)
"""Pages for whoever has the token of a mail."""
STATIC_FILES: Final = (
    *("console.css", "console.js", "icon.svg", "charts.js", "live.js", "playground.js", "shortcuts.js"),
    *("htmx.min.js", "uplot.min.js", "uplot.min.css", "redaction.js"),
)

PUBLIC: Final = frozenset(
    {
        *(("GET", path) for path in ("/", "/v1", "/v1/", "/healthz", "/readyz", "/v1/healthz", "/v1/readyz")),
        *(("GET", path) for path in ("/console", "/console/token", "/console/token/")),  # they lead to pages
        *((method, "/console/sign-in") for method in ("GET", "POST")),
        ("POST", "/console/sign-in/code"),  # whoever gave the right password
        *((method, "/console/password") for method in ("GET", "POST")),  # who forgot it has no session
        *((method, "/console/sign-up") for method in ("GET", "POST")),  # nor has who wants an account
        *((method, path) for method in ("GET", "POST") for path in BEHIND_LINKS),
        *(("GET", f"/console/static/{name}") for name in STATIC_FILES),
        *(("GET", path) for path in ("/support", "/support/", "/api/openapi.json")),
        *((method, "/api/v1/alerts/confirm") for method in ("GET", "POST")),  # whoever has the token of a mail
        *(("GET", path) for path in ("/docs", "/docs/", "/docs/api", "/llms.txt")),
        *(("GET", f"/docs/errors{end}") for end in ("", ".json", ".md", "/{id}")),  # who fails before they have a key
        *(("GET", path) for path in ("/status", "/status/", "/status.json", "/status.atom")),  # who has trouble
        ("POST", "/api/v1/keys/report-leak"),  # who finds a key is a stranger
        ("POST", "/support"),  # whoever has no working key needs the checklist most
        ("POST", "/api/v1/support/diagnose"),  # likewise; it tells of a key to who sends the whole key
        ("GET", "/api/status"),  # clients of new-api ask before they have a key
    }
)
"""The named list: what answers without a credential. Whatever is added needs a reason."""


class EndpointCase(NamedTuple):
    """A request that its endpoint understands."""

    method: str
    path: str
    body: bytes | None = None
    operation: Operation | None = None
    dialect: str = "openai"

    @property
    def is_gemini(self) -> bool:
        return self.path.startswith("/v1beta/")

    @property
    def is_form(self) -> bool:
        """What `platform_process.as_form` sends otherwise."""
        return self.path in ENDPOINTS and ENDPOINTS[self.path].form

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def not_permitted(self, code: str) -> tuple[int, str]:
        """The verdict of a call that is not permitted; Anthropic's dialect has one type for all reasons."""
        return 403, "permission_error" if self.dialect == "anthropic" else code


def calls() -> list[EndpointCase]:
    """The LLM API's calls."""
    return [
        EndpointCase("POST", each.path, _body(each.operation, each.dialect), each.operation, each.dialect)
        for each in ENDPOINTS.values()
        if each.operation is not None and each.name != COUNTING
    ]


def counts() -> list[EndpointCase]:
    """Calls whose tokens are counted, and which are not answered: they cost nothing, and ask nobody."""
    return [
        EndpointCase("POST", each.path, _body(each.operation, each.dialect), each.operation, each.dialect)
        for each in ENDPOINTS.values()
        if each.operation is not None and each.name == COUNTING
    ]


def _body(operation: Operation, dialect: str) -> bytes:
    return json.dumps({**BODIES[operation], **BESIDE.get(dialect, {})}).encode()


def lookups() -> list[EndpointCase]:
    """What the LLM API tells about keys, models and money."""
    named = [EndpointCase("GET", each.path) for each in ENDPOINTS.values() if each.operation is None]
    told = [
        endpoint
        for endpoint in named
        if (endpoint.method, endpoint.path) not in PUBLIC and not _is_of_organization(endpoint)
    ]
    return [*told, *(EndpointCase("GET", start + MODEL) for start in MODEL_ITEMS)]


def organization() -> list[EndpointCase]:
    """What it tells an account's admin key only."""
    return [endpoint for each in ENDPOINTS.values() if _is_of_organization(endpoint := EndpointCase("GET", each.path))]


def _is_of_organization(endpoint: EndpointCase) -> bool:
    return endpoint.path.startswith("/v1/organization/")


def control() -> list[EndpointCase]:
    """The control API, but for what is public there; no object is named `nothing`."""
    return [
        EndpointCase(route.method, route.path.replace("{id}", "nothing"), None if route.method == "GET" else b"{}")
        for route in TABLE
        if "public" not in route.who
    ]


def closed() -> list[EndpointCase]:
    """Everything that needs a credential."""
    return [*calls(), *counts(), *lookups(), *organization(), *control()]


def public() -> list[EndpointCase]:
    """Everything that does not."""
    pages = {(page.method, page.path) for page in discovered() if page.may == EVERYBODY}
    told = (
        pages
        | {("GET", path) for path in (*PATHS, *MOVED, *StaticFiles().paths)}
        | {(route.method, route.path) for route in TABLE if "public" in route.who}
    )
    return [EndpointCase(method, path) for method, path in sorted(PUBLIC | told)]
