"""A post that sends nothing and remembers everything."""

import asyncio
import json

from msgspec import Struct

from tollhouse.core.notice import Answer, Channel


class Sent(Struct, frozen=True, kw_only=True):
    channel: Channel
    address: str
    id: str
    subject: str = ""
    text: str = ""
    body: bytes = b""
    secret: str = ""

    @property
    def percent(self) -> int:
        if self.channel == "webhook":
            return int(json.loads(self.body)["data"]["threshold_percent"])
        return int(self.subject.split(" %")[0])


class Post:
    """`answers`: what comes of each try on a way. `refused`: why any webhook is refused. `raises`: a defect."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.answers = {way: Answer(ok=True, status=200, words="thanks") for way in ("mail", "webhook")}
        self.refused: str | None = None
        self.raises: Exception | None = None
        self._news = asyncio.Event()

    async def came(self, count: int) -> None:
        """Wait until so much was sent."""
        async with asyncio.timeout(20):
            while len(self.sent) < count:
                self._news.clear()
                await self._news.wait()

    async def mail(self, to: tuple[str, ...], subject: str, text: str, message_id: str) -> Answer:
        return self._take(Sent(channel="mail", address=", ".join(to), id=message_id, subject=subject, text=text))

    async def webhook(self, url: str, secret: str, message_id: str, body: bytes) -> Answer:
        return self._take(Sent(channel="webhook", address=url, id=message_id, secret=secret, body=body))

    def refuses(self, url: str) -> str | None:
        return self.refused

    def _take(self, sent: Sent) -> Answer:
        self.sent.append(sent)
        self._news.set()
        if self.raises is not None:
            raise self.raises
        return self.answers[sent.channel]


def told(post: Post, channel: Channel) -> list[int]:
    """The thresholds that were told on a way, in their order."""
    return [one.percent for one in post.sent if one.channel == channel]
