"""What docs/money.md says of the ledger is what the rules are."""

import re
from pathlib import Path

from tollhouse.billing.ledger import TRANSFER_RULES, ChainEnd, Transfer, TransferRule, append, canonical

PAGE = (Path(__file__).parents[2] / "docs" / "money.md").read_text(encoding="utf-8")
SIGNS = {"+": (1,), "-": (-1,), "- or 0": (-1, 0), "+ or -": (1, -1)}


def test_the_table_of_kinds() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([-+ or0]+?) \| `(platform:\w+)` \| (.*?) ?\|$", PAGE, re.MULTILINE)
    told = {
        kind: TransferRule(counter, SIGNS[signs], tuple(re.findall(r"`(\w+)`", names)))
        for kind, signs, counter, names in rows
    }
    assert told == TRANSFER_RULES


def test_the_canonical_bytes_can_be_made_from_the_page_alone() -> None:
    section = PAGE.split("is absent is `-,`:")[1].split("\n\n")[1]
    _, version, *fields = re.findall(r"`([^`]+)`", section)
    made = Transfer(id="txn_1", account_id="acc_a", kind="grant", amount=5, time_ms=7, reason="税", expires_at_ms=9)
    entry = append(ChainEnd("acc_a"), made)
    values: dict[str, object] = {"sequence": entry.sequence, "balance": entry.balance}
    text = b""
    for value in [version, *(values[field] if field in values else getattr(made, field) for field in fields)]:
        raw = str(value).encode()
        text += b"-," if value is None else str(len(raw)).encode() + b":" + raw + b","
    assert text == canonical(made, 1, 5)
