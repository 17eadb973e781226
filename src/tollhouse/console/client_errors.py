"""Which exception an official library raises for a status, as their sources have it.

Checked with openai 3.57.0, anthropic 2.14.0 and google-genai (Python), openai 6.49.0 and @anthropic-ai/sdk 1.14.0
(Node). `tests/console/test_error_reference.py` asks the one that is installed for tests.
"""

from collections.abc import Mapping
from typing import Final

_SHARED: Final = {
    400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
    409: "ConflictError", 422: "UnprocessableEntityError", 429: "RateLimitError",
}  # fmt: skip
_ANTHROPIC: Final = {
    402: "PaymentRequiredError", 408: "RequestTimeoutError", 413: "ContentTooLargeError",
    431: "RequestHeaderFieldsTooLargeError", 503: "ServiceUnavailableError", 504: "GatewayTimeoutError",
    529: "OverloadedError",
}  # fmt: skip
_RETRIED: Final = (408, 409, 429)


def exceptions(status: int, anthropic_status: int) -> Mapping[str, str]:
    """By library. anthropic_status: what the format of Anthropic answers for the same failure."""
    return {
        "openai, Python": f"openai.{_openai_python(status)}",
        "openai, Node": f"OpenAI.{_node(status)}",
        "anthropic, Python": f"anthropic.{_ANTHROPIC.get(anthropic_status) or _openai_python(anthropic_status)}",
        "@anthropic-ai/sdk, Node": f"Anthropic.{_ANTHROPIC.get(anthropic_status) or _node(anthropic_status)}",
        "google-genai, Python": f"google.genai.errors.{'ServerError' if status >= 500 else 'ClientError'}",
    }


def is_retried(status: int) -> bool:
    """The official libraries of OpenAI and Anthropic try again by themselves, unless `x-should-retry` says no."""
    return status in _RETRIED or status >= 500


def _openai_python(status: int) -> str:
    return "InternalServerError" if status >= 500 else _SHARED.get(status, "APIStatusError")


def _node(status: int) -> str:
    return "InternalServerError" if status >= 500 else _SHARED.get(status, "APIError")
