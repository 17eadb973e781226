"""The pages of the error codes: every code has one, in every language, and what it tells is so."""

import json
import re
import tomllib
from importlib.resources import files

import httpx2
import pytest
from openai import OpenAI

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE, Browser, Outline
from tollhouse.console.client_errors import exceptions, is_retried
from tollhouse.console.error_reference import error_pages
from tollhouse.console.language import NAMES
from tollhouse.console.route import discovered, find
from tollhouse.core.failure import every_failure

CODES = sorted({kind.code for kind in every_failure()})
JSON = [(b"accept", b"application/json")]


def test_every_code_has_its_file_and_no_file_is_left_over() -> None:
    there = {file.name.removesuffix(".toml") for file in files("tollhouse.console").joinpath("errors").iterdir()}
    assert there == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_prose_says_all_of_it_in_every_language(code: str) -> None:
    page = error_pages()[code]
    assert set(page.prose.words) == set(NAMES)
    english = page.prose.words["en"]
    for words in page.prose.words.values():
        assert all((words.title, words.means, words.retry, words.charged, words.causes))
        assert [one.page for one in words.causes] == [one.page for one in english.causes]
        texts = (
            words.title,
            words.means,
            words.retry,
            words.charged,
            *(f"{one.why}{one.cure}" for one in words.causes),
        )
        assert all(text.count("`") % 2 == 0 for text in texts)
    assert code not in page.prose.related
    assert set(page.prose.related) <= set(CODES)
    for cause in english.causes:
        if cause.page and cause.page != "/status":
            find(discovered(), "GET", cause.page)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("language", sorted(NAMES))
def test_page_of_a_code_is_sound(admin: AdminHarness, code: str, language: str) -> None:
    accept = [(b"accept", b"text/html"), (b"accept-language", language.encode())]
    reply = Browser(admin).get(f"/docs/errors/{code}", accept)
    assert reply.status == 200
    Outline(reply.html)
    assert f"error={code}" in reply.html
    assert error_pages()[code].prose.words[language].title in reply.html
    told = [json.loads(body.text) for body in error_pages()[code].bodies[:3]]
    assert all(one["error"]["message"] for one in told)


def test_list_names_all_codes_and_leads_to_one(admin: AdminHarness) -> None:
    browser = Browser(admin)
    assert set(re.findall(r"/docs/errors/(\w+)\"", browser.get("/docs/errors").html)) == set(CODES)
    assert browser.get("/docs/errors?code=overloaded").headers["location"] == "/docs/errors/overloaded"
    assert browser.get("/docs").headers["location"] == "/docs/errors"


def test_unknown_code_is_answered_as_one(admin: AdminHarness) -> None:
    reply = Browser(admin).get(f"/docs/errors/{HOSTILE.replace('/', '')}")
    assert reply.status == 404
    assert "<script>alert" not in reply.html
    assert Browser(admin).get("/docs/errors/nothing.md", JSON).status == 404


def test_twins_tell_the_same_to_programs(admin: AdminHarness) -> None:
    browser = Browser(admin)
    listed = browser.get("/docs/errors.json", JSON)
    assert listed.headers["content-type"] == "application/json"
    data = {one["code"]: one for one in json.loads(listed.content)["data"]}
    assert set(data) == set(CODES)
    whole = browser.get("/docs/errors.md", JSON).html
    index = browser.get("/llms.txt", JSON).html
    assert index.startswith("# ")
    assert "/v1/messages" in index
    assert ":generateContent" in index
    for code in CODES:
        reply = browser.get(f"/docs/errors/{code}.md", JSON)
        assert reply.headers["content-type"].startswith("text/markdown")
        assert reply.html in whole + "\n"
        assert f"/docs/errors/{code}.md" in index
        assert data[code]["title"] in reply.html


def test_own_calls_that_failed_so_are_named(admin: AdminHarness, owner: Browser) -> None:
    call = admin.call("alpha-live", 1, status=429, error="rate_limit_exceeded", charge=None)
    other = admin.call("beta-live", 2, status=429, error="rate_limit_exceeded", charge=None)
    html = owner.get("/docs/errors/rate_limit_exceeded").html
    assert f"/console/requests/{call.id}" in html
    assert other.id not in html
    assert "Your last calls" not in Browser(admin).get("/docs/errors/rate_limit_exceeded").html


@pytest.mark.parametrize("status", sorted({kind.status for kind in every_failure()}))
def test_exceptions_are_those_of_the_library(status: int) -> None:
    answer = httpx2.Response(status, request=httpx2.Request("GET", "http://x"))
    with OpenAI(api_key="x") as client:
        raised = client._make_status_error("m", body={}, response=answer)
        assert exceptions(status, status)["openai, Python"] == f"openai.{type(raised).__name__}"
        assert client._should_retry(answer) is is_retried(status)


def test_prose_files_hold_nothing_that_is_not_read() -> None:
    for file in files("tollhouse.console").joinpath("errors").iterdir():
        assert set(tomllib.loads(file.read_text("utf-8"))) == {"related", "words"}
