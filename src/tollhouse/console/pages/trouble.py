"""An error for people: the same words and status that a program would get as JSON."""

from tollhouse.console.page import code, link, text
from tollhouse.core.failure import Failure


def title(failure: Failure) -> str:
    return f"{failure.status} {failure.code.replace('_', ' ')}"


def body(failure: Failure, request_id: str) -> str:
    return (
        f'<p class="lead">{text(failure.message)}</p>\n'
        f"<p>Go to the {link('/console/', 'overview')} or to {link('/support', 'support')}. "
        f"Request id: {code(request_id)}</p>"
    )
