"""Mail as a real server gets it: one message to all, plain, whatever stands in the words, and what was answered."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword

from tests.outbound.receivers import Box, ReceivedMail, mailbox
from tests.support.server_process import free_port
from tests.upstream.certificates import Authority
from tollhouse.core.notice import DeliveryResult
from tollhouse.outbound.mail import Letter, greet, message, send
from tollhouse.outbound.mail_server import MailServer, read_sender, read_smtp

NOW_MS = 1_790_000_000_000
FROM = read_sender("Zollhaus <zoll@example.org>")


def letter(*to: str, subject: str = "hello", text: str = "first\nsecond") -> Letter:
    return Letter(to=to or ("a@example.org",), subject=subject, text=text, id="msg_1")


def deliver(port: int, sent: Letter, seconds_max: float = 10, **server: Any) -> DeliveryResult:
    known = MailServer(host="127.0.0.1", port=port, **server)
    return asyncio.run(send(known, FROM, sent, NOW_MS, seconds_max))


def only(box: Box) -> ReceivedMail:
    (mail,) = box.all()
    assert isinstance(mail, ReceivedMail)
    return mail


def test_one_message_reaches_all() -> None:
    with mailbox() as (box, port):
        answer = deliver(port, letter("a@example.org", "b@example.org"))
    assert (answer.ok, answer.status, answer.words) == (True, 250, "taken")
    mail = only(box)
    assert (mail.sender, mail.to) == ("zoll@example.org", ("a@example.org", "b@example.org"))
    shown = {name: str(mail.message[name]) for name in ("From", "To", "Subject", "Date", "Message-ID")}
    assert shown == {
        "From": "Zollhaus <zoll@example.org>",
        "To": "a@example.org, b@example.org",
        "Subject": "hello",
        "Date": "Mon, 21 Sep 2026 14:13:20 +0000",
        "Message-ID": "<msg_1@example.org>",
    }
    assert mail.message.get_content_type() == "text/plain"
    assert mail.text.replace("\r\n", "\n") == "first\nsecond\n"


@pytest.mark.parametrize(
    "name",
    [
        "x\r\nBcc: victim@example.org",
        "x\nBcc: victim@example.org",
        "x\r\n\r\nand a body",
        "x\rBcc: victim@example.org",
        "x\u2028Bcc: victim@example.org",
        "x\x00\x0b\x0c\x85y",
        "=?utf-8?q?x=0D=0ABcc=3A_victim=40example.org?=",
        "税关 \N{RIGHT-TO-LEFT OVERRIDE} é",
        "y" * 5_000,
    ],
)
def test_hostile_words_add_neither_header_nor_reader(name: str) -> None:
    with mailbox() as (box, port):
        hostile = f"{name.split()[0]}@example.org" if name.startswith("=?") else "b@example.org"
        answer = deliver(port, letter("a@example.org", hostile, subject=f"about {name}", text=f"Key: {name}"))
    assert answer.ok
    mail = only(box)
    assert (len(mail.to), mail.to[0]) == (2, "a@example.org")
    assert mail.message["Bcc"] is None
    assert set(mail.message) == {
        *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
        *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
    }
    assert str(mail.message["Subject"]).startswith("about ")
    assert mail.text.startswith("Key: ")


def test_who_is_refused_for_now_is_left_and_who_is_refused_for_good_is_not() -> None:
    refuses = {"full@example.org": "452 mailbox full", "gone@example.org": "550 no such user"}
    with mailbox(refuses) as (box, port):
        answer = deliver(port, letter("a@example.org", "full@example.org", "gone@example.org"))
        assert (answer.ok, answer.final, answer.left) == (False, False, ("full@example.org",))
        assert only(box).to == ("a@example.org",)
        answer = deliver(port, letter("a@example.org", "gone@example.org"))
        assert (answer.ok, answer.final, answer.left, answer.status) == (True, True, (), 550)
        assert "gone@example.org" in answer.words
        assert "no such user" in answer.words
        answer = deliver(port, letter("gone@example.org"))
        assert (answer.ok, answer.final, answer.left) == (False, True, ())
        answer = deliver(port, letter("full@example.org", "gone@example.org"))
        assert (answer.ok, answer.final, answer.left) == (False, False, ("full@example.org",))
    assert len(box.all()) == 2


def test_a_server_that_is_not_there_is_an_answer() -> None:
    answer = deliver(free_port(), letter())
    assert (answer.ok, answer.final, answer.left) == (False, False, ("a@example.org",))
    assert answer.words


def test_a_server_that_says_nothing_is_not_waited_for_longer_than_allowed() -> None:
    async def silent() -> DeliveryResult:
        lines: list[asyncio.StreamWriter] = []
        server = await asyncio.start_server(lambda reader, writer: lines.append(writer), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            return await send(MailServer(host="127.0.0.1", port=port), FROM, letter(), NOW_MS, 0.05)
        finally:
            server.close()
            for line in lines:
                line.close()
                await line.wait_closed()

    answer = asyncio.run(silent())
    assert not answer.ok
    assert answer.left == ("a@example.org",)


def test_a_greeting_sends_nothing_and_says_what_a_sender_would_meet() -> None:
    def greeted(port: int, seconds_max: float = 10, **server: Any) -> DeliveryResult:
        return asyncio.run(greet(MailServer(host="127.0.0.1", port=port, **server), seconds_max))

    with mailbox(authenticator=_authenticated, auth_require_tls=False) as (box, port):
        assert greeted(port).ok
        assert greeted(port, user="user", password="pass word").ok
        refused = greeted(port, user="user", password="wrong")
        assert (refused.ok, refused.status, "wrong" in refused.words) == (False, 535, False)
        assert not greeted(port, starttls=True).ok
    assert box.all() == []
    assert not greeted(port).ok, "nobody is there any more"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = greeted(silent.getsockname()[1], 0.05)
    assert (answer.ok, answer.words) == (False, "the mail server did not answer in time")


def _authenticated(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"user", b"pass word")
    return AuthResult(success=right, handled=right)  # what is not handled, the server refuses


@pytest.mark.parametrize(("password", "arrives"), [("pass word", True), ("wrong", False)])
def test_a_name_and_a_password_are_given_where_they_are_asked_for(password: str, arrives: bool) -> None:
    with mailbox(authenticator=_authenticated, auth_require_tls=False) as (box, port):
        answer = deliver(port, letter(), user="user", password=password)
    assert answer.ok is arrives
    assert len(box.all()) == int(arrives)
    assert password not in answer.words


@pytest.mark.parametrize("how", ["tls", "starttls"])
def test_a_certificate_nobody_vouches_for_gets_no_mail(tmp_path: Path, how: str) -> None:
    context = Authority(tmp_path).server("127.0.0.1")
    options: dict[str, Any] = {"ssl_context": context} if how == "tls" else {"tls_context": context}
    with mailbox(**options) as (box, port):
        answer = deliver(port, letter(), **{how: True})
    assert not answer.ok
    assert "certificate" in answer.words.lower()
    assert box.all() == []


def test_starttls_is_demanded_where_it_was_asked_for() -> None:
    with mailbox() as (box, port):
        answer = deliver(port, letter(), starttls=True)
    assert not answer.ok
    assert box.all() == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", MailServer(host="mail.example", port=25)),
        ("smtp://mail.example:2525/", MailServer(host="mail.example", port=2525)),
        ("smtps://mail.example", MailServer(host="mail.example", port=465, tls=True)),
        ("smtp://mail.example:587?starttls=1", MailServer(host="mail.example", port=587, starttls=True)),
        ("smtp://u%40x:p%3Aw%2F@[::1]:25", MailServer(host="::1", port=25, user="u@x", password="p:w/")),
    ],
)
def test_where_mail_goes_out(url: str, server: MailServer) -> None:
    assert read_smtp(url) == server


@pytest.mark.parametrize(
    "url",
    [
        *("mail.example", "http://user:hunter2@mail.example", "smtp://", "smtp://user:hunter2@mail.example:x"),
        *(
            "smtp://user:hunter2@mail.example/path",
            "smtp://user:hunter2@h?starttls=yes",
            "smtp://h?tls=1",
            "smtp://h?x",
        ),
        *("smtp://user:hunter2@mail.example:99999",),
    ],
)
def test_what_is_no_mail_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"write|stands") as refused:
        read_smtp(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "nobody", "a <b", "x <a@b>\r\nBcc: c@d", "a@b@c"])
def test_what_is_no_sender_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it as"):
        read_sender(text)


def test_a_name_in_any_script_is_a_sender() -> None:
    made = message(letter(), read_sender('"税关, Zoll" <z@example.org>'), NOW_MS)
    assert str(made["From"]) == '"税关, Zoll" <z@example.org>'
