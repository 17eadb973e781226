"""/docs/errors: what each error code means, why it comes, what cures it; the same as Markdown and as JSON."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import msgspec

from tollhouse.console.backoff_snippets import snippets, some_model
from tollhouse.console.call_code import simulated
from tollhouse.console.call_formats import Given
from tollhouse.console.error_reference import ErrorPage, ErrorWords, error_pages
from tollhouse.console.route import EVERYBODY, Answer, Elsewhere, Shown, Text, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import PathNotFound
from tollhouse.core.phrase import Phrase
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import receipts
from tollhouse.services.receipts import ReceiptFilter

_MARKDOWN: Final = "text/markdown; charset=utf-8"
_JSON: Final = "application/json"
_OWN_SHOWN: Final = 3
_OWN_LOOKED_AT: Final = 1_000
_WAITED_FOR: Final = ("rate_limit_exceeded", "overloaded", "upstream_error", "upstream_timeout")
"""Codes whose pages show how to try again."""


@page("GET /docs/errors", may=EVERYBODY)
async def listing(visit: Visit) -> Answer:
    if visit.asked("code") in error_pages():
        return Elsewhere(f"/docs/errors/{visit.asked('code')}")
    return Shown("errors.html", {"pages": _by_status(), "words": _words(visit.language)})


@page("GET /docs/errors/{id}", may=EVERYBODY)
async def one(visit: Visit) -> Answer:
    code = visit.id.removesuffix(".md")
    found = error_pages().get(code)
    if found is None:
        raise PathNotFound(
            Phrase("there is no error code %(code)s; /docs/errors lists all of them", code=repr(code[:80]))
        )
    if visit.id.endswith(".md"):
        return Text(_MARKDOWN, _markdown(found, _words("en")[code]))
    values: dict[str, object] = {
        "page": found,
        "words": _words(visit.language),
        "own": await _own(visit, code),
        "simulated": _simulated(visit, code),
        "backoff": snippets(visit) if code in _WAITED_FOR else (),
    }
    return Shown("error.html", values)


@page("GET /docs/errors.md", may=EVERYBODY)
async def as_markdown(visit: Visit) -> Answer:
    words = _words("en")
    return Text(_MARKDOWN, "\n".join(_markdown(one, words[one.code]) for one in _by_status()))


@page("GET /docs/errors.json", may=EVERYBODY)
async def as_json(visit: Visit) -> Answer:
    words = _words("en")
    data = [_object(visit, one, words[one.code]) for one in _by_status()]
    return Text(_JSON, msgspec.json.encode({"object": "list", "data": data}).decode())


@page("GET /llms.txt", may=EVERYBODY)
async def for_models(visit: Visit) -> Answer:
    """As llmstxt.org describes it: a title, a sentence, and links to Markdown."""
    base = visit.base_url
    name = visit.context.settings.platform.name
    lines = [
        f"# {name}",
        "",
        f"> An LLM API platform. Point an OpenAI library at {base}/v1, one of Anthropic or Google at {base}, with a key"
        " of this platform. Each reaches every model.",
        "",
        "## Formats",
        "",
        f"- OpenAI: POST {base}/v1/chat/completions, {base}/v1/responses, {base}/v1/embeddings",
        f"- Anthropic: POST {base}/v1/messages, {base}/v1/messages/count_tokens",
        f"- Gemini: POST {base}/v1beta/models/MODEL:generateContent, and :streamGenerateContent, :countTokens,"
        " :embedContent",
        f"- [All endpoints]({base}/v1): as JSON, to programs",
        "",
        "## Errors",
        "",
        f"- [All error codes]({base}/docs/errors.md): what each means, why it comes, what cures it",
    ]
    words = _words("en")
    lines += [f"- [{one.code}]({base}/docs/errors/{one.code}.md): {words[one.code].title}" for one in _by_status()]
    lines += ["", "## Support", "", f"- [Checklist and contacts]({base}/support)", f"- [Status]({base}/status)", ""]
    return Text("text/plain; charset=utf-8", "\n".join(lines))


def _words(language: str) -> Mapping[str, ErrorWords]:
    """In the language of a page, by code."""
    return {code: one.prose.words[language] for code, one in error_pages().items()}


@cache
def _by_status() -> Sequence[ErrorPage]:
    return sorted(error_pages().values(), key=lambda one: one.statuses)


async def _own(visit: Visit, code: str) -> Sequence[UsageRecord]:
    """The last calls of who looks that failed so."""
    if visit.account is None or not visit.may("requests.list"):
        return ()
    wanted = ReceiptFilter(account_id=visit.account.id, error=code)
    found = await receipts.list_page(visit.context.services, wanted, count=_OWN_SHOWN, most_looked_at=_OWN_LOOKED_AT)
    return found.records


def _simulated(visit: Visit, code: str) -> Mapping[str, str]:
    return simulated(Given(model=some_model(visit), text="Hello"), visit.base_url, f"error={code}")


def _object(visit: Visit, one: ErrorPage, words: ErrorWords) -> dict[str, object]:
    return {
        "code": one.code,
        "statuses": one.statuses,
        "url": f"{visit.base_url}/docs/errors/{one.code}",
        "title": words.title,
        "means": words.means,
        "causes": [{"why": cause.why, "cure": cause.cure} for cause in words.causes],
        "retry": words.retry,
        "clients_retry": one.is_retried,
        "charged": words.charged,
        "exceptions": one.exceptions,
        "related": one.prose.related,
    }


def _markdown(one: ErrorPage, words: ErrorWords) -> str:
    statuses = ", ".join(map(str, one.statuses))
    lines = [f"# `{one.code}` ({statuses}): {words.title}", "", words.means, "", "## Why, and what to do", ""]
    lines += [f"- {cause.why} {cause.cure}" for cause in words.causes]
    lines += [
        "",
        "## Try again?",
        "",
        words.retry,
        "",
        "## Was it charged?",
        "",
        words.charged,
        "",
        "## As it comes",
        "",
    ]
    for body in one.bodies:
        lines += [f"{body.where} ({body.status}):", "", "```", body.text, "```", ""]
    lines += ["## Exceptions", ""]
    lines += [f"- {library}: `{name}`" for library, name in one.exceptions.items()]
    lines += ["", f"Related: {', '.join(f'`{code}`' for code in one.prose.related)}", ""]
    return "\n".join(lines)
