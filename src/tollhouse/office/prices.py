"""Prices: what a configuration says a model costs, as dated rows that nobody edits.

A model that says nothing any more, or that it is free, keeps its rows for the charges of the past: whether it can be
sold today is for its configuration to say.
"""

from collections.abc import Mapping

from tollhouse.billing.prices import BadPrice, read_price
from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.failure import BadRequest
from tollhouse.office.office import Office
from tollhouse.office.ports import Tables

LIST = "default"


def check(catalogue: Catalogue) -> None:
    """Raises BadRequest naming the model whose price cannot be read."""
    for model in catalogue.models.values():
        if model.price:
            try:
                read_price(model.price, id="", model=model.id)
            except BadPrice as error:
                where = f"models.{model.id}.price" + (f".{error.field}" if error.field else "")
                raise BadRequest(f"models.{model.id}.price.{error}", param=where) from None


def write(office: Office, tables: Tables, before: Mapping[str, Model], after: Mapping[str, Model], now_ms: int) -> bool:
    """Add a row for each model whose price differs from the one before, or that has none yet. Were there any?"""
    added = False
    for model in after.values():
        if not model.price:
            continue
        changed = model.id not in before or before[model.id].price != model.price
        rows = tables.prices.written(LIST, model.id)
        standing = next((written for since_ms, written in rows if since_ms <= now_ms), None)
        if (changed and standing != model.price) or not rows:
            taken = {since_ms for since_ms, _ in rows}
            since_ms = now_ms
            while since_ms in taken:  # two changes within a millisecond
                since_ms += 1
            price = read_price(
                model.price, id=office.new_id("price"), model=model.id, price_list=LIST, effective_from_ms=since_ms
            )
            tables.prices.add(price, model.price)
            added = True
    return added
