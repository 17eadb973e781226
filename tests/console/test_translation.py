"""Every language has all words of the pages, and no others."""

import ast
import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from scripts import write_locales
from tests.admin.harness import AdminHarness
from tests.console import platform
from tests.console.harness import BROWSER, Browser
from tests.console.reads import fill, pages
from tollhouse.console.language import NAMES
from tollhouse.services.translation import read

LANGUAGES = [name for name in NAMES if name != "en"]
NO_WORDS = re.compile(
    r"{#.*?#}|{% set \w+ %}.*?{% endset %}|{% trans.*?{% endtrans %}|{%.*?%}|{{.*?}}"
    r"|<pre.*?</pre>|<code.*?</code>|<(?:\"[^\"]*\"|{{.*?}}|{%.*?%}|[^>\"])*>",
    re.DOTALL,
)
CJK = re.compile(r"[\u4e00-\u9fff]")


def written(language: str) -> Catalog:
    return read_po(
        io.BytesIO((write_locales.LOCALES / f"{language}.po").read_bytes()), locale=language.replace("-", "_")
    )


def texts(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_has_the_words_of_the_pages_and_no_others(language: str) -> None:
    words = {str(one.id) for one in write_locales.extracted() if one.id}
    known = {str(one.id) for one in written(language) if one.id}
    assert words - known == set(), "run scripts/write_locales.py, and translate them"
    assert known - words == set(), "run scripts/write_locales.py"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_translated_with_its_figures(language: str) -> None:
    for message in written(language):
        if message.id:
            ids = [message.id] if isinstance(message.id, str) else list(message.id)
            assert all(texts(message)), ids
            for text in texts(message):
                assert sorted(re.findall(r"%\(\w+\)s", text)) == sorted(re.findall(r"%\(\w+\)s", ids[-1])), ids
                assert text.count("`") == ids[-1].count("`"), ids


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_is_read_as_babel_reads_it(language: str) -> None:
    """One form for every number is all that pages can say so far."""
    words = read((write_locales.LOCALES / f"{language}.po").read_text(encoding="utf-8"))
    for message in written(language):
        if message.id:
            (text,) = texts(message)
            assert words[message.id if isinstance(message.id, str) else message.id[0]] == text
    assert len(words) == sum(bool(one.id) for one in written(language))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (b"zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        (b"zh-TW", "zh-CN"),
        (b"en-GB,zh;q=0.5", "en"),
        (b"de, zh;q=0.1", "zh-CN"),
        (b"zh;q=0", "en"),
        (b"", "en"),
        (b"*", "en"),
        (b"zh;q=x", "en"),
    ],
)
def test_page_is_in_the_language_that_the_browser_asks_for(admin: AdminHarness, asked: bytes, found: str) -> None:
    html = Browser(admin).get("/support", [*BROWSER, (b"accept-language", asked)]).html
    assert f'<html lang="{found}">' in html or f'lang="{found}"' in html.partition(">")[2][:200]
    assert bool(CJK.search(html)) == (found == "zh-CN")


def test_templates_say_their_words_to_the_catalogue() -> None:
    """What stands in a template outside `trans` is no sentence: it would stay English."""
    for template in sorted((Path(write_locales.CONSOLE) / "templates").glob("*.html")):
        text = template.read_text(encoding="utf-8")
        bare = NO_WORDS.sub("\0", text)
        sentences = [one.strip() for one in bare.split("\0") if re.search(r"[A-Za-z]{3,} [A-Za-z]{2,}", one)]
        assert sentences == [], template.name


def _is_of_words(node: ast.expr) -> bool:
    """A text, or a phrase; and what is neither written here nor glued of pieces."""
    return not isinstance(node, (ast.JoinedStr, ast.BinOp))


def test_failures_that_pages_tell_are_texts_or_phrases() -> None:
    """A message that is glued of pieces could not be said in another language."""
    glued = [
        f"{file.name}:{call.lineno}"
        for package in write_locales.FAILING
        for file, call in write_locales.calls_in(package)
        if write_locales.name_of(call) in write_locales.FAILURES and call.args and not _is_of_words(call.args[0])
    ]
    assert glued == []
    (wrong,) = [node for node in ast.walk(ast.parse('BadRequest(f"no {x}")')) if isinstance(node, ast.Call)]
    assert not _is_of_words(wrong.args[0])


def test_form_tells_its_trouble_in_the_language_of_the_page(admin: AdminHarness) -> None:
    browser = Browser(admin)
    asked = [*BROWSER, (b"accept-language", b"zh-CN"), (b"sec-fetch-site", b"same-origin")]
    admin.services.sign_up = "open"
    told = browser.send("/console/sign-up", b"email=nobody", asked)
    assert (told.status, "email：&#39;nobody&#39; 不是邮箱地址" in told.html) == (400, True)
    unknown = browser.get("/console/nowhere", [*BROWSER, (b"accept-language", b"zh-CN")])
    assert (unknown.status, "此处没有页面" in unknown.html) == (404, True)


SENTENCE = re.compile(r"(?:\b[A-Za-z']+,? ){3,}[A-Za-z']+")


def english_in(html: str) -> list[str]:
    """Sentences that stand on a page as English, but for code, what people wrote, and what a caller was answered."""
    body = re.sub(
        r"<(pre|code|script|style|option|blockquote)\b.*?</\1>", "\0", html.partition("<main")[2], flags=re.DOTALL
    )
    return [found[0] for text in re.sub(r"<[^>]*>", "\0", body).split("\0") if (found := SENTENCE.search(text))]


def test_no_page_in_chinese_says_a_sentence_in_english(admin: AdminHarness, owner: Browser) -> None:
    operator = platform.signed_in(admin, platform.furnished(admin))
    request_id = fill(admin, 300, 300)
    chinese = [*BROWSER, (b"accept-language", b"zh-CN")]
    found = {}
    for browser, of_platform in ((owner, False), (operator, True)):
        for path in pages(of_platform=of_platform, request_id=request_id):
            if sentences := english_in(browser.get(path, chinese).html):
                found[path] = sentences
    assert found == {}
