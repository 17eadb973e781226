"""A platform in a process of its own, before four upstreams: one of each shape."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.clients.upstreams.chat import CHAT
from tests.clients.upstreams.gemini import GEMINI
from tests.clients.upstreams.messages import MESSAGES
from tests.clients.upstreams.responses import RESPONSES
from tests.clients.upstreams.server import VendorServer, VendorShape
from tests.end_to_end.platform_process import PlatformProcess

SHAPES: Final[tuple[VendorShape, ...]] = (CHAT, RESPONSES, MESSAGES, GEMINI)
MODELS: Final = {
    "chat": "qwen3-max",
    "responses": "gpt-5.1",
    "messages": "claude-sonnet-4-5",
    "gemini": "gemini-3-pro-preview",
}
"""What the vendors call their models: how one thinks is told by its name."""
OTHERS: Final = {"messages": "claude-opus-4-8", "gemini": "gemini-2.5-pro"}
"""Models of another generation, which are asked to think in another way."""
CLIENTS: Final = ("openai-chat", "openai-responses", "anthropic", "google-genai")
STATUSES: Final = (400, 401, 403, 404, 429, 500, 503, 529)
APART: Final = (*(f"fail-{status}" for status in STATUSES), "broken", "again", "slow", "patient")
"""What opens a circuit breaker has a provider of its own, so that it takes it from no other test."""
HEAD: Final = """
[server]
metrics_address = "127.0.0.1:{metrics_port}"

[plans.default]
credit_limit_usd = "unlimited"
requests_per_minute = 100000
tokens_per_minute = 1000000000
"""
PROVIDER: Final = """
[providers."{provider}"]
kind = "{kind}"
base_url = "http://127.0.0.1:{port}/{path}"
speaks = ["{speaks}"]
api_keys = ["upstream-key"]
first_byte_seconds = {first_byte}

[models."{model}"]
offers = [{{ provider = "{provider}", model = "{upstream_model}" }}]
context_tokens = 200000
max_output_tokens = 32000
modalities = ["text", "image", "file"]
price = {{ input = "2.50", cache_read = "0.25", cache_write_5m = "3.00", output = "10.00" }}
"""


class Platform:
    """base_url, key: as a client gets them. upstreams: by the names of their shapes."""

    def __init__(self, upstreams: dict[str, VendorServer], process: PlatformProcess) -> None:
        self.upstreams = upstreams
        self.process = process
        self.base_url = f"http://127.0.0.1:{process.port}"
        self.key = process.key

    def charged_nusd(self) -> int:
        """For the newest call."""
        newest = self.process.manage("GET", "/requests?limit=1")["data"][0]
        return int(newest["charge_nusd"])

    @contextmanager
    def uncomplaining(self, shape: str) -> Iterator[VendorServer]:
        """What is sent to an upstream in this block is all as its vendor wants it."""
        upstream = self.upstreams[shape]
        upstream.forget()
        yield upstream
        assert not upstream.complaints, "\n".join(upstream.complaints)


def provider_of(shape: str, client: str, what: str) -> str:
    """The model of a provider apart."""
    return f"{shape}-{client}-{what}"


def _config(upstreams: dict[str, VendorServer]) -> str:
    text = HEAD
    for name, upstream in upstreams.items():
        models = [f"{name}-1", f"{name}-2", *(provider_of(name, client, what) for client in CLIENTS for what in APART)]
        for model in models:
            text += PROVIDER.format(
                provider=model,
                kind=upstream.shape.kind,
                port=upstream.port,
                path="v1beta" if upstream.shape is GEMINI else "v1",
                speaks=upstream.shape.speaks,
                first_byte=1 if model.endswith("-slow") else 30,
                model=model,
                upstream_model=OTHERS.get(name, MODELS[name]) if model == f"{name}-2" else MODELS[name],
            )
    return text


@contextmanager
def platform_with_upstreams(folder: Path) -> Iterator[Platform]:
    with ExitStack() as ends:
        upstreams = {shape.name: ends.enter_context(VendorServer(shape=shape)) for shape in SHAPES}
        process = PlatformProcess(folder, _config(upstreams))
        ends.callback(process.stop)
        yield Platform(upstreams, process)
        assert process.defects() == []
