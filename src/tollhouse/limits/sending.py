"""How much of what leaves the platform accounts may cause in a day of UTC. The counts stand in the database, so that a
restart begins no new day; what is beyond is folded into one notice an hour (`alerts.folded`)."""

from collections.abc import Mapping
from typing import Final, Literal

Sending = Literal["confirmation", "recipient", "asked", "letter", "stranger", "leak", "ticket", "asking"]
"""confirmation: mails of one account that ask an address to confirm. recipient: mails to one address, whichever
accounts cause them. asked: such mails that ask it to confirm. letter: mails to one address about how its reader signs
in. stranger: such mails that one network asks for. leak: mails to one account about its found keys; beyond it
they are bounded as any other. ticket: texts that one account writes in its tickets. asking: mails that these cause to
those who run the platform. Deliveries of one account are bounded by their channel (`core.channel`)."""

DAILY_MAX: Final[Mapping[Sending, int]] = {
    "confirmation": 10,
    "recipient": 100,
    "asked": 3,
    "letter": 10,
    "stranger": 50,
    "leak": 50,
    "ticket": 200,
    "asking": 50,
}
ADDRESSES_MAX: Final = 50  # outside an account, confirmed or not
THRESHOLDS_MAX: Final = 20  # of one budget
