"""A month of calls in the database of a demo that does not run, so that pages have something to draw."""

import asyncio
import math
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from tollhouse.clock import SystemClock
from tollhouse.core.account import ApiKey
from tollhouse.core.charge import Charge
from tollhouse.core.ids import make_id
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.database import open_store

DAYS: Final = 30
CALLS_A_DAY: Final = 60
# What they are called for: model, nano-USD for a token, share of the calls.
_USES: Final = (("gpt-4o-mini", 400, 0.5), ("gpt-4o", 6_000, 0.3), ("text-embedding-3-small", 20, 0.2))
_CLIENTS: Final = ("OpenAI Python 2.6", "opencode 1.2", "curl 8.5")


def write_history(folder: Path) -> None:
    """Of the account's live key. folder: the demo's."""

    async def write() -> None:
        clock = SystemClock()
        store = open_store("sqlite:///tollhouse.db", create=False, clock=clock, folder=folder)
        try:
            directory = await store.load_directory()
            (key,) = (one for one in directory.keys.values() if one.mode == "live" and "inference" in one.scopes)
            for call in _calls(key, clock.now_ms()):
                await store.writer.commit(call)
        finally:
            await store.close()

    asyncio.run(write())


def _calls(key: ApiKey, now_ms: int) -> Iterator[UsageRecord]:
    random = Random(30)
    for day in range(DAYS, 0, -1):
        weekday = (now_ms // DAY_MS - day) % 7
        for number in range(int(CALLS_A_DAY * (0.4 if weekday in (2, 3) else 1 + 0.3 * math.sin(day)))):
            time_ms = now_ms - day * DAY_MS + random.randrange(DAY_MS)
            model, rate, _ = random.choices(_USES, [use[2] for use in _USES])[0]
            tokens_in, tokens_out = random.randrange(200, 9_000), random.randrange(20, 900)
            yield UsageRecord(
                id=make_id("req", time_ms, (day * 1_000 + number).to_bytes(10, "big")),
                time_ms=time_ms,
                account_id=key.account_id,
                project_id=key.project_id,
                key_id=key.id,
                mode="live",
                model=model,
                dialect="openai",
                operation="chat",
                stream=True,
                status=200,
                ending="finished",
                client=random.choice(_CLIENTS),
                usage=Usage(input=tokens_in, output=tokens_out, requests=1),
                charge=Charge(amount=tokens_in * rate + tokens_out * 4 * rate, price_id=None),
                admitted_ms=2,
                first_byte_ms=random.randrange(180, 900),
                last_byte_ms=random.randrange(900, 4_000),
            )
