"""Webhooks: signed so that the reference library believes them and nothing that was altered, sent to public addresses
only, whatever a name or a redirect says, and the receiver's answer as far as it can be shown."""

import asyncio
import base64
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.outbound.receivers import Hook, hooks
from tollhouse.clock import SystemClock
from tollhouse.core.notice import DeliveryResult, Outgoing
from tollhouse.outbound import channel
from tollhouse.outbound.post import OutboundDelivery, open_post
from tollhouse.outbound.webhook import sign
from tollhouse.settings import MailSettings, PlatformSettings, Settings
from tollhouse.upstream.address import read_url
from tollhouse.upstream.client import UpstreamClient
from tollhouse.upstream.resolve import LookUp, system_look_up

SECRET = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"
BODY = b'{"type":"alert.test","data":{}}'
LOOPBACK = ("127.0.0.1/32",)


def sent(url: str, *, allow: tuple[str, ...] = LOOPBACK, look_up: LookUp = system_look_up) -> DeliveryResult:
    """What comes of one webhook."""

    async def scenario() -> DeliveryResult:
        client = UpstreamClient(SystemClock(), idle_max=0, look_up=look_up)
        try:
            return await opened(client, allow).deliver("webhook", outgoing(url, SECRET))
        finally:
            await client.close()

    return asyncio.run(scenario())


def opened(client: UpstreamClient, allow: tuple[str, ...] = ()) -> OutboundDelivery:
    def read(url: str) -> Any:
        return read_url(url, allow_networks=allow)

    return open_post(Settings(), lambda text: text, SystemClock(), client, read)


def outgoing(address: str, secret: str = "") -> Outgoing:
    return Outgoing(id="msg_1", account_id="acc_1", address=address, subject="s", text="t", body=BODY, secret=secret)


def test_the_reference_library_verifies_what_arrives() -> None:
    with hooks() as (box, port):
        answer = sent(f"http://127.0.0.1:{port}/in?x=%20y&z=1")
    assert (answer.ok, answer.status, answer.words) == (True, 200, "thanks")
    (hook,) = box.all()
    assert isinstance(hook, Hook)
    assert (hook.path, hook.id, hook.body) == ("/in?x=%20y&z=1", "msg_1", BODY)
    assert hook.headers["content-type"] == "application/json"
    assert hook.verified(SECRET) == {"type": "alert.test", "data": {}}


@pytest.mark.parametrize(
    "altered",
    [
        {"body": BODY.replace(b"test", b"tesT")},
        {"body": BODY + b" "},
        {"body": b""},
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"webhook-timestamp": "later"},
        {"webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()},
        {"webhook-signature": ""},
        {"secret": f"whsec_{base64.b64encode(bytes(32)).decode()}"},
    ],
    ids=str,
)
def test_what_was_altered_is_refused_by_the_reference_library(altered: dict[str, Any]) -> None:
    now_ms = SystemClock().now_ms()
    headers = {name.decode(): value.decode() for name, value in sign(SECRET, "msg_1", now_ms, BODY)}
    if altered.get("webhook-timestamp") == "later":
        altered = {"webhook-timestamp": str(now_ms // 1000 + 1)}
    body, secret = altered.get("body", BODY), altered.get("secret", SECRET)
    assert Webhook(SECRET).verify(BODY, headers) == {"type": "alert.test", "data": {}}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers | {name: value for name, value in altered.items() if "-" in name})


@pytest.mark.parametrize("seconds", [-301, 301])
def test_what_is_older_or_newer_than_five_minutes_is_refused_by_the_reference_library(seconds: int) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    signed = sign(SECRET, "msg_1", int(moment.timestamp() * 1000), BODY)
    with pytest.raises(WebhookVerificationError, match="too"):
        Webhook(SECRET).verify(BODY, {name.decode(): value.decode() for name, value in signed})


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_===", "whsec_c2hvcnQ=", "nonsense?"])
def test_an_empty_or_short_secret_signs_nothing(secret: str) -> None:
    async def scenario() -> DeliveryResult:
        client = UpstreamClient(SystemClock(), idle_max=0)
        try:
            return await opened(client, LOOPBACK).deliver("webhook", outgoing(url, secret))
        finally:
            await client.close()

    with hooks() as (box, port):
        url = f"http://127.0.0.1:{port}/"
        assert not asyncio.run(scenario()).ok
    assert box.all() == []


@pytest.mark.parametrize(
    ("status", "words", "ok", "final"),
    [
        (204, b"", True, False),
        (299, b"fine", True, False),
        (400, b"bad", False, False),
        (404, b"nobody here", False, False),
        (410, b"gone", False, True),
        (500, b"x\ny\x00z \xff", False, False),
        (503, b"w" * 100_000, False, False),
    ],
)
def test_the_answer_is_shown_as_far_as_it_is_words(status: int, words: bytes, ok: bool, final: bool) -> None:
    with hooks(lambda hook: (status, {}, words)) as (_, port):
        answer = sent(f"http://127.0.0.1:{port}/")
    assert (answer.ok, answer.status, answer.final) == (ok, status, final)
    assert len(answer.words) <= 200
    assert answer.words.isprintable()
    assert answer.words[:4] == words[:200].decode(errors="replace").replace("\n", " ")[:4].replace("\x00", " ")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with (
        hooks() as (other, away),
        hooks(lambda hook: (status, {"location": f"http://127.0.0.1:{away}/"}, b"")) as (
            box,
            port,
        ),
    ):
        answer = sent(f"http://127.0.0.1:{port}/")
    assert (answer.ok, answer.status) == (False, status)
    assert "not followed" in answer.words
    assert (len(box.all()), other.all()) == (1, [])


def test_a_receiver_that_is_not_there_or_breaks_off_is_an_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    answer = sent(f"http://127.0.0.1:{port}/")
    assert (answer.ok, answer.status, answer.words) == (
        False,
        None,
        "no connection to the receiver: connection refused",
    )
    with hooks(lambda hook: (200, {"content-length": "50"}, b"half")) as (_, port):
        answer = sent(f"http://127.0.0.1:{port}/")
    assert (answer.ok, answer.status) == (True, 200), "its status was heard"


def test_no_receiver_holds_up_the_others_for_long() -> None:
    assert channel.SECONDS_MAX <= 10


PRIVATE = (
    *("127.0.0.1", "127.8.8.8", "[::1]", "0.0.0.0", "[::]", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("[fd12:3456::1]", "[::ffff:10.0.0.1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"),
    *("224.0.0.1", "255.255.255.255"),
)
METADATA = (
    *("169.254.169.254", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[fe80::1]", "[fd00:ec2::254]"),
    *("100.100.100.200", "168.63.129.16", "metadata.google.internal", "Metadata.Google.Internal."),
)
TRICKS = (
    *("http://2130706433/", "http://0x7f000001/", "http://127.1/", "http://0177.0.0.1/", "http://user:pw@example.org/"),
    *("http://example.org@127.0.0.1/", "http://127.0.0.1#@example.org/", "http://127.0.0.1\\@example.org/"),
    *(
        "file:///etc/passwd",
        "gopher://example.org/",
        "ftp://example.org/",
        "//example.org/",
        "http:///x",
        "http://[::1",
    ),
    *("http://exa mple.org/", "http://example.org/\r\nX: y", "http://example.org:0/", "http://example.org/\u00e9"),
    "",
)


def refusing(allow: tuple[str, ...] = ()) -> Callable[[str], str | None]:
    return opened(UpstreamClient(SystemClock()), allow).refuses


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_refused_unless_allowed(host: str) -> None:
    assert refusing()(f"https://{host}/x") is not None
    assert refusing(("127.0.0.0/8", "::/0", "0.0.0.0/0"))(f"https://{host}/x") is None


@pytest.mark.parametrize("host", METADATA)
def test_metadata_services_need_their_own_entry(host: str) -> None:
    assert refusing(("127.0.0.0/8", "10.0.0.0/8", "::1/128"))(f"http://{host}/latest/meta-data") is not None


@pytest.mark.parametrize("url", TRICKS)
def test_what_parsers_read_in_two_ways_is_refused(url: str) -> None:
    assert refusing()(url) is not None


@pytest.mark.parametrize(
    "host", ["example.org", "93.184.215.14", "[2606:4700::1111]", "xn--8lsq5v.example", "税关.example"]
)
def test_public_addresses_are_not_refused(host: str) -> None:
    assert refusing()(f"https://{host}:8443/x?y=z") is None


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
def test_the_address_that_is_dialled_is_judged_and_not_the_name(address: str) -> None:
    async def leads_inside(host: str, port: int) -> list[str]:
        return [address]

    with hooks() as (box, port):
        answer = sent(f"http://receiver.example:{port}/", allow=(), look_up=leads_inside)
    assert (answer.ok, answer.status) == (False, None)
    assert "address" in answer.words
    assert "127.0.0.1" not in answer.words
    assert box.all() == []


def test_a_name_that_is_rebound_between_looks_reaches_nobody_inside() -> None:
    """The name was public when the webhook was set, and at the first look; what is dialled is what was judged."""
    asked: list[str] = []

    async def rebinds(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) > 1 else ["192.0.2.1", "127.0.0.1"]

    with hooks() as (box, port):
        url = f"http://receiver.example:{port}/"
        assert refusing()(url) is None
        for _ in range(2):
            assert not sent(url, allow=(), look_up=rebinds).ok
    assert box.all() == []
    assert len(asked) == 2


def test_settings_that_cannot_be_used_are_named() -> None:
    def given(**mail: str) -> None:
        settings = Settings(mail=MailSettings(**mail), platform=PlatformSettings(name="Zoll, Haus"))
        open_post(settings, lambda text: text, SystemClock(), UpstreamClient(SystemClock()), read_url)

    given()
    given(smtp="smtp://mail.example", sender="a <b@c.example>")
    with pytest.raises(ValueError, match=r"mail\.smtp"):
        given(smtp="mail.example")
    with pytest.raises(ValueError, match=r"mail\.from"):
        given(sender="nobody")


def test_without_a_mail_server_the_answer_says_so() -> None:
    post = opened(UpstreamClient(SystemClock()))
    answer = asyncio.run(post.deliver("mail", outgoing("a@b.example")))
    assert (answer.ok, answer.final, answer.left) == (False, False, ("a@b.example",))
    assert "[mail] smtp" in answer.words
