"""The playground without JavaScript: what is sent, what comes back, who may, and what is filled in from a receipt."""

import html
import json
import re
from typing import Any

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE, Browser, Outline, member
from tests.console.platform import calling, furnished, running
from tests.gateway.harness import answer, buffered, refusing
from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.charge import Charge

PAGE = "/console/playground"


class Player:
    """A member of alpha before the playground. `harness`: the gateway behind it."""

    def __init__(self, admin: AdminHarness, role: str = "owner") -> None:
        self.admin, self.harness = admin, furnished(admin)
        calling(admin, self.harness)
        self.browser = Browser(admin, running=running(self.harness))
        self.browser.sign_in(member(admin, "alpha", role))
        self.browser.get(PAGE)

    @property
    def sent(self) -> dict[str, Any]:
        """The body that the provider got last."""
        calls = [*self.harness.first.calls, *self.harness.second.calls]
        return dict(json.loads(bytes(calls[-1].body)))

    def fields(self, **changed: str) -> dict[str, str]:
        key = self.admin.keys["alpha-live"]
        return {"key": key, "model": "house-1", "format": "openai_chat", "text": "hi", "language": "curl"} | changed


@pytest.fixture
def player(admin: AdminHarness) -> Player:
    return Player(admin)


def value_of(page: str, name: str) -> str:
    return html.unescape(re.findall(rf'name="{name}"[^>]*value="([^"]*)"', page)[0])


def chosen(page: str, name: str) -> str:
    """The text or the value of the option that is chosen."""
    select = page.partition(f'<select name="{name}"')[2].partition("</select>")[0]
    found = re.findall(r"<option(?: value=\"([^\"]*)\")? selected>([^<]*)", select)
    return html.unescape(found[0][0] or found[0][1]) if found else ""


def test_call_is_made_as_the_form_says_and_shows_hold_charge_and_receipt(player: Player) -> None:
    player.harness.first.plays[:] = [buffered(answer("Zoll <b>haus</b>"))]
    reply = player.browser.post(
        PAGE, **player.fields(max_tokens="50", temperature="0.5", instructions="be brief", stream="1")
    )
    assert reply.status == 200
    assert "Zoll &lt;b&gt;haus&lt;/b&gt;" in reply.html
    body = player.sent
    assert [one["content"] for one in body["messages"]] == ["be brief", "hi"]
    assert (body["max_tokens"], body["temperature"]) == (50, 0.5)
    assert not body.get("stream"), "a page is no stream"
    for words in ("Held before", "Charged", "Released", "finished"):
        assert words in reply.html
    request_id = re.findall(r"/console/requests/(req_\w+)", reply.html)[0]
    receipt = player.browser.get(f"/console/requests/{request_id}")
    assert "console=playground" in receipt.html
    assert (chosen(reply.html, "model"), value_of(reply.html, "max_tokens")) == ("house-1", "50")
    Outline(reply.html)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"text": ""}, "text: write"),
        ({"text": "x" * 100_001}, "at most 100000"),
        ({"max_tokens": "many"}, "numbers"),
        ({"max_tokens": "9" * 5_000}, "numbers"),
        ({"temperature": "nan"}, "no number"),
        ({"temperature": "inf"}, "no number"),
        ({"format": "openai_nothing"}, "format: choose"),
        ({"format": HOSTILE}, "format: choose"),
        ({"format": "../openai_chat"}, "format: choose"),
        ({"max_tokens": "-5"}, "max_tokens"),
        ({"model": HOSTILE}, "script"),
    ],
)
def test_wrong_input_is_told_and_kept_and_nothing_is_sent(player: Player, changed: dict[str, str], words: str) -> None:
    reply = player.browser.post(PAGE, **player.fields(instructions="kept <i>", **changed))
    assert 400 <= reply.status < 500
    assert words in html.unescape(reply.html.partition('class="trouble"')[2].partition("</p>")[0])
    assert "kept &lt;i&gt;" in reply.html
    assert "<script>alert" not in reply.html
    assert not player.harness.first.calls


def test_key_of_another_account_is_refused_like_an_unknown_one(admin: AdminHarness, player: Player) -> None:
    foreign, unknown = admin.keys["beta-live"], "key_aaaaaaaaaaaaaaaaaaaaaaaaaa"
    for path in (PAGE, f"{PAGE}/code", f"{PAGE}/stream"):
        replies = [player.browser.post(path, **player.fields(key=one)) for one in (foreign, unknown)]
        assert [one.status for one in replies] == [404, 404]
        assert replies[0].html.replace(foreign, "") == replies[1].html.replace(unknown, "")
    assert not player.harness.first.calls


def test_key_that_makes_no_calls_is_refused_as_elsewhere(admin: AdminHarness, player: Player) -> None:
    reply = player.browser.post(PAGE, **player.fields(key=admin.keys["alpha-admin"]))
    assert reply.status == 403
    assert "live or test" in reply.html


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/code", f"{PAGE}/stream"])
def test_viewer_makes_no_call(admin: AdminHarness, path: str) -> None:
    viewer = Player(admin, "viewer")
    viewer.browser.get("/console/keys")
    assert viewer.browser.post(path, **viewer.fields()).status == 403
    assert viewer.browser.get(PAGE).status == 403
    assert "Playground" not in viewer.browser.get("/console/").html
    assert not viewer.harness.first.calls


def test_form_of_another_session_makes_no_call(player: Player) -> None:
    player.browser.csrf = "0" * 64
    assert player.browser.post(f"{PAGE}/stream", **player.fields()).status == 400
    assert not player.harness.first.calls


def test_provider_s_refusal_is_shown_with_the_receipt_of_it(player: Player) -> None:
    refused = refusing(400, {"message": "temperature must be below 2", "type": "invalid_request_error"})
    player.harness.first.plays[:] = [refused]
    reply = player.browser.post(PAGE, **player.fields(temperature="3"))
    assert reply.status == 400
    assert "temperature must be below 2" in reply.html
    assert "/console/requests/req_" in reply.html


def test_look_says_what_would_be_held_and_sends_nothing(player: Player) -> None:
    page = player.browser.post(f"{PAGE}/code", **player.fields(max_tokens="1000")).html
    assert "the most that it can cost is held" in page
    assert re.search(r'id="ahead".*?<data value="0\.0', page, re.DOTALL)
    test = player.browser.post(f"{PAGE}/code", **player.fields(key=player.admin.keys["alpha-test"])).html
    assert "Nothing is held" in test
    unknown = player.browser.post(f"{PAGE}/code", **player.fields(model="house-9"))
    assert unknown.status == 200
    assert "would be refused now" in unknown.html
    assert not player.harness.first.calls
    assert not player.harness.ledger.records


def test_code_is_that_of_the_form_in_the_language_asked_for(player: Player) -> None:
    fields = player.fields(format="openai_responses", stream="1", language="Python", max_tokens="7", text="it's <me>")
    page = player.browser.post(f"{PAGE}/code", **fields).html
    code = html.unescape(re.findall(r"<pre[^>]*><code>(.*?)</code></pre>", page, re.DOTALL)[0])
    assert "client.responses.create(" in code
    assert "max_output_tokens=7" in code
    assert '"it\'s <me>"' in code
    assert "stream=True" in code
    assert 'os.environ["TOLLHOUSE_API_KEY"]' in code
    assert chosen(page, "language") == "Python"
    hostile = player.browser.post(f"{PAGE}/code", **player.fields(language=HOSTILE, model=HOSTILE, text=HOSTILE)).html
    assert "<script>alert" not in hostile
    assert chosen(hostile, "language") == "curl"


def test_what_a_format_has_no_place_for_is_named(player: Player) -> None:
    fields = player.fields(format="openai_embeddings", instructions="be brief", max_tokens="5")
    page = player.browser.post(f"{PAGE}/code", **fields).html
    assert re.search(r"no place for these.*Instructions, Tokens at most", page)
    assert "no place for these" not in player.browser.post(f"{PAGE}/code", **player.fields(instructions="x")).html


def test_first_page_chooses_the_test_key_and_has_code(player: Player) -> None:
    page = player.browser.get(f"{PAGE}?model=gift").html
    assert page.index("(test)") < page.index("(live)")
    assert chosen(page, "model") == "gift"
    assert "YOUR TEXT" in page
    assert "curl http" in page


@pytest.mark.parametrize(("operation", "name"), [("chat", "openai_chat"), ("responses", "openai_responses")])
def test_receipt_is_opened_with_what_its_record_holds(player: Player, operation: str, name: str) -> None:
    call = player.admin.call(
        "alpha-live",
        3,
        model="house-2",
        operation=operation,
        stream=True,
        output_cap=77,
        charge=Charge(amount=5, price_id="price_1"),
    )
    assert f'href="{PAGE}?request={call.id}"' in player.browser.get(f"/console/requests/{call.id}").html
    page = player.browser.get(f"{PAGE}?request={call.id}").html
    assert (chosen(page, "model"), chosen(page, "format")) == ("house-2", name)
    assert chosen(page, "key") == player.admin.keys["alpha-live"]
    assert value_of(page, "max_tokens") == "77"
    assert "is not kept here" in page
    assert re.search(r'<textarea name="text"[^>]*></textarea>', page)


def test_receipt_of_what_is_gone_says_so(player: Player) -> None:
    call = player.admin.call("alpha-admin", 3, model="gone-1", stream=False)
    page = player.browser.get(f"{PAGE}?request={call.id}").html
    assert "makes no calls now" in page
    assert "The model gone-1 is not offered now" in page


def test_receipt_of_another_account_is_opened_by_nobody(player: Player) -> None:
    foreign = player.admin.call("beta-live", 3).id
    unknown = foreign[:-4] + "aaaa"
    for path in (f"{PAGE}?request=", f"{PAGE}/calls/"):
        replies = [player.browser.get(path + one) for one in (foreign, unknown)]
        assert [one.status for one in replies] == [404, 404]
        assert replies[0].html.replace(foreign, "") == replies[1].html.replace(unknown, "")


def test_viewer_sees_no_way_to_the_playground(admin: AdminHarness) -> None:
    viewer = Player(admin, "viewer")
    call = admin.call("alpha-live", 3)
    page = viewer.browser.get(f"/console/requests/{call.id}").html
    assert "Make it again" in page
    assert PAGE not in page


def test_hostile_names_of_models_and_keys_are_escaped(player: Player) -> None:
    names = (HOSTILE, "模型/中文:free", "it's")
    models = {name: Model(id=name, free=True) for name in names}
    player.admin.services.catalogue = Catalogue(generation=9, models=models)
    page = player.browser.get(f"{PAGE}?model={HOSTILE}").html
    assert "<script>alert" not in page
    Outline(page)


def test_page_without_a_server_says_so(admin: AdminHarness, owner: Browser) -> None:
    owner.get(PAGE)
    reply = owner.post(PAGE, key=admin.keys["alpha-live"], model="m", format="openai_chat", text="hi")
    assert reply.status == 503
    assert "only a server that runs" in reply.html
