"""The public page of support before a real browser: secrets are taken out there, as the server would; and without a
script the checklist runs all the same."""

import json

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from tests.access.test_redaction import CORPUS, PASSWORDS, ordinary
from tests.support.server_process import ServerProcess
from tollhouse.access.redaction import TEXT_MAX, redact

IN_THE_PAGE = """
async ([texts, most]) => {
  const { reader, redact } = await import("/console/static/redaction.js");
  const expressions = reader(JSON.parse(document.getElementById("redaction").dataset.shapes));
  return texts.map((text) => redact(expressions, text, most));
}
"""


def test_the_browser_takes_out_what_python_does(chromium: Chromium, demo: ServerProcess) -> None:
    texts = [*(text for _, text in CORPUS), *PASSWORDS, "\n".join(PASSWORDS), "", "\U0001f511 password: Tr0ub4dor3x"]
    texts += [*list(ordinary())[::100], "\U0001f511" * (TEXT_MAX + 5)]
    page = chromium.new_page()
    page.goto(f"{demo.facts['base_url']}/support")
    told = page.evaluate(IN_THE_PAGE, [texts, TEXT_MAX])
    assert [(one["text"], one["found"]) for one in told] == [tuple(redact(text)) for text in texts]
    secret = demo.facts["api_key"]
    page.fill("#unredacted", f"curl -H 'Authorization: Bearer {secret}'")
    expect(page.locator("#redacted")).to_have_value("curl -H 'Authorization: Bearer [redacted key]'")
    expect(page.locator("#redacted-count")).to_have_text("1")
    page.close()


def test_the_checklist_runs_without_a_script(chromium: Chromium, demo: ServerProcess) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{demo.facts['base_url']}/support")
    page.fill("[name=api_key]", demo.facts["api_key"])
    page.fill("[name=body]", json.dumps({"model": "GPT-4o", "messages": [{"role": "user", "content": "Hello"}]}))
    page.click("form.stack button.primary")
    expect(page.locator("#api-key")).to_contain_text("in order")
    expect(page.locator("#model")).to_contain_text("Use gpt-4o")
    assert demo.facts["api_key"] not in page.content()
    context.close()
