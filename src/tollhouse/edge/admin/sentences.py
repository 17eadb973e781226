"""Receipts and explanations in plain words, for people who do not read JSON."""

from collections.abc import Iterator

from tollhouse.billing import holds
from tollhouse.core.amount import format_usd
from tollhouse.edge.admin.receipts import ReceiptObject
from tollhouse.gateway.explain import Explanation


def about_receipt(receipt: ReceiptObject) -> Iterator[str]:
    """What the call was, how it ended, and what it cost."""
    how = "streamed" if receipt.stream else "buffered"
    yield (
        f"{receipt.id} came at {receipt.time} with the key {receipt.key.id} (...{receipt.key.last4}): a {how}"
        f" {receipt.operation} call of {receipt.model or 'a model that was not found'}, in {receipt.mode} mode."
    )
    why = f" with {receipt.error}" if isinstance(receipt.error, str) else ""
    yield f"It ended {receipt.ending.replace('_', ' ')}{why}, status {receipt.status}. {receipt.ending_explained}"
    if receipt.mode == "test":
        yield "Test mode costs nothing."
        return
    held, released = format_usd(receipt.held_nusd), format_usd(receipt.released_nusd)
    if receipt.held_nusd:
        yield f"{held} USD were held for it, of which {released} USD were free again."
    for line in receipt.lines:
        charge = format_usd(line.charge_nusd)
        yield f"{line.quantity} {line.bucket} at {line.price_usd} USD for {line.per} by {line.price_id}: {charge} USD."
    entry = "" if receipt.ledger_entry is None else f", entry {receipt.ledger_entry.id} of the ledger"
    yield f"The charge is {receipt.charge_usd} USD{entry}."
    if receipt.overrun_nusd:
        yield f"Of it {format_usd(receipt.overrun_nusd)} USD were beyond the hold: an overrun."
    if isinstance(receipt.refunded_nusd, int):
        yield f"{format_usd(receipt.refunded_nusd)} USD were given back."


def about_call(found: Explanation, *, now: bool) -> Iterator[str]:
    """What a call would meet. `now`: it is one that was made, told as if it came again."""
    key, account = found.identity.key, found.identity.account
    again = "The same call now: it" if now else "The call"
    yield f"{again} would come from the key {key.name} ({key.id}, {key.state}) of the account {account.name}."
    if key.networks:
        yield f"It would have to come from {', '.join(key.networks)}; that is not judged here."
    if found.model is not None:
        request = "" if found.asked == found.model.id else f" (asked for as {found.asked})"
        first = sum(offer.turn is not None for offer in found.offers)
        yield f"The model is {found.model.id}{request}" + (f"; {first} of its offers can be tried." if first else ".")
    for limit in found.limits:
        name, needs = str(limit["name"]).replace("_", " "), limit["needs"]
        yield f"Limit of {limit['limit']} {name} on the {limit['level']}: {limit['used']} used, it needs {needs}."
    if found.free:
        yield f"Nothing would be held: {found.free}."
    if found.bounds is not None:
        cap = "" if found.bounds.added_cap is None else f", an output cap of {found.bounds.added_cap} would be added"
        yield (
            f"At most {found.bounds.tokens_in} tokens in and {found.bounds.tokens_out} out{cap}: it can cost up to"
            f" {format_usd(found.amount)} USD, and that much would be held."
        )
    for counter in found.counters:
        left = counter.left()
        what = (
            f"the money of the {counter.level}"
            if counter.kind == "money"
            else f"the {counter.window} budget {counter.id}"
        )
        have = "any amount" if left is None else f"{format_usd(left)} USD"
        short = "" if holds.insufficient((counter,), found.amount) is None else ": too little"
        yield f"On {what} {have} is left{short}."
    if found.failure is None:
        yield "Verdict: it would be let in."
    else:
        yield f"Verdict: it would get {found.failure.status} {found.failure.code}: {found.failure.message}"
