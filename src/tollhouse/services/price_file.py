"""A file of prices, CSV or JSON: read whole, with every mistake and the line it stands on.

CSV has a head line that names `model` and the amounts of platform.toml (`input`, `output`, `per_image`, ...); commas,
semicolons or tabs end its cells. An empty cell names nothing, nor does a column without a head while it is empty. A
line with `above_input_tokens` is a tier of the model that a line before it has priced. JSON is an object: by model the
price as platform.toml writes it, or null to take the model out of the list.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tollhouse.access.exposed import exposed
from tollhouse.billing.prices import PRICE_KEYS, BadPrice, costs_nothing, nearest_amount, read_price
from tollhouse.core.phrase import Phrase
from tollhouse.core.price import Written
from tollhouse.services.catalogue_tables import MODEL_ID_CHARACTERS_MAX, is_model_id

MODELS_MAX: Final = 10_000
_ABOVE: Final = "above_input_tokens"
_COLUMNS: Final = ("model", _ABOVE, *PRICE_KEYS)
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_DELIMITERS: Final = (",", ";", "\t")
_DECLARED: Final = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)


@dataclass(slots=True)
class PriceFile:
    """`written`: the price of each model as the file says it, empty where the model is to leave the list. With mistakes
    (`line 3: gpt-4o: input: ...`) nothing of it may be used."""

    written: dict[str, Written] = field(default_factory=dict)
    mistakes: list[tuple[int, str]] = field(default_factory=list)
    lines: dict[str, list[int]] = field(default_factory=dict)
    """By model: the line of its price, then those of its tiers."""

    def wrong(self, line: int, message: str) -> None:
        self.mistakes.append((line, message))

    def wrong_of(self, model: str, line: int, message: str) -> None:
        self.wrong(line, Phrase("%(model)s: %(message)s", model=model, message=message))

    def messages(self) -> list[Phrase]:
        return [
            Phrase("line %(line)s: %(message)s", line=line, message=message) for line, message in sorted(self.mistakes)
        ]


def read(data: bytes) -> PriceFile:
    """Raises nothing."""
    found = PriceFile()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        is_utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        found.wrong(
            data.count(b"\n", 0, error.start) + 1,
            Phrase("this is not UTF-8 but UTF-16: save the file as UTF-8")
            if is_utf_16
            else Phrase("this is not UTF-8: save the file as UTF-8"),
        )
        return found
    if text.lstrip().startswith("{"):
        _read_json(text, found)
    else:
        _read_csv(text, found)
    if len(found.written) > MODELS_MAX:
        found.wrong(
            1,
            Phrase(
                "%(count)s models are too many for one file; at most %(most)s",
                count=len(found.written),
                most=MODELS_MAX,
            ),
        )
    if not found.written and not found.mistakes:
        found.wrong(1, Phrase("there is no price in it"))
    for model, written in found.written.items():
        _judge(model, written, found)
    return found


def _judge(model: str, written: Written, found: PriceFile) -> None:
    lines = found.lines[model]
    if (words := exposed(model)) is not None:
        found.wrong_of("model", lines[0], words)
    elif not is_model_id(model):
        found.wrong(
            lines[0],
            Phrase("a model's name is 1 to %(most)s printing characters", most=MODEL_ID_CHARACTERS_MAX),
        )
    elif written:
        try:
            read_price(written, id="", model=model)
        except BadPrice as error:
            tier = re.match(r"tiers\[([0-9]+)\]", error.field)
            place = int(tier.group(1)) + 1 if tier else 0
            name = f"{model}: {error.field}" if error.field else model
            found.wrong_of(name, lines[min(place, len(lines) - 1)], error.reason)
            return
        if costs_nothing(written):
            found.wrong_of(
                model, lines[0], Phrase("a price of nothing: what is free says free = true in platform.toml")
            )


def _read_csv(text: str, found: PriceFile) -> None:
    declared = _DECLARED.match(text)  # a first line by which spreadsheets tell the delimiter
    lines_before = 1 if declared else 0
    text = text[declared.end() :] if declared else text
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = declared[1] if declared else max(_DELIMITERS, key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line, head = 1 + lines_before, None
    while True:
        try:
            cells = next(rows, None)
        except csv.Error as error:
            found.wrong(line, Phrase("this is no CSV: %(reason)s", reason=error))
            return
        if cells is None:
            return
        cells = [cell.strip() for cell in cells]
        if any(cells):
            if head is None:
                head = cells
                if not _is_head(head, line, found):
                    return
            else:
                _read_line(head, cells, line, found)
        line = rows.line_num + 1 + lines_before


def _is_head(head: Sequence[str], line: int, found: PriceFile) -> bool:
    named = [name for name in head if name]
    unknown = [name for name in named if name not in _COLUMNS]
    for name in unknown:
        hint = nearest_amount(name, _COLUMNS)
        found.wrong(
            line,
            Phrase(
                "%(given)s is no column; %(cure)s, in column %(column)s",
                given=repr(name[:40]),
                cure=hint,
                column=head.index(name) + 1,
            ),
        )
    if "model" not in named and not unknown:
        found.wrong(line, Phrase("the head line names no column `model`"))
    if len(set(named)) < len(named):
        found.wrong(line, Phrase("the head line names a column twice"))
    return not found.mistakes


def _read_line(head: Sequence[str], cells: Sequence[str], line: int, found: PriceFile) -> None:
    names = [*head, *[""] * (len(cells) - len(head))]
    row: Written = {name: cell for name, cell in zip(names, cells, strict=False) if cell and name}
    for column, (name, cell) in enumerate(zip(names, cells, strict=False), 1):
        if cell and not name:
            found.wrong(
                line,
                Phrase(
                    "column %(column)s holds %(given)s, but the head line names no such column",
                    column=column,
                    given=repr(cell[:40]),
                ),
            )
            return
    model, above = str(row.pop("model", "")), row.pop(_ABOVE, None)
    if not model:
        found.wrong(line, Phrase("no model is named"))
    elif above is None:
        _add(model, row or {"input": ""}, line, found)  # a line without an amount is a mistake, and no leaving
    elif model not in found.written:
        found.wrong_of(model, line, Phrase("a tier stands below the line that prices the model"))
    else:
        tiers: Any = found.written[model].setdefault("tiers", [])
        whole = re.fullmatch(r"[1-9][0-9]{0,9}", str(above), re.ASCII)
        tiers.append({**row, _ABOVE: int(str(above)) if whole else above})
        found.lines[model].append(line)


def _read_json(text: str, found: PriceFile) -> None:
    try:
        for model, price, line in _members(text):
            if price is None:
                _add(model, {}, line, found)
            elif isinstance(price, dict) and price:
                _add(model, price, line, found)
            else:
                found.wrong_of(
                    model, line, Phrase('write its price, such as {"input": "2.50", "output": "10.00"}, or null')
                )
    except json.JSONDecodeError as error:
        found.wrong(error.lineno, Phrase("this is no JSON: %(reason)s", reason=error.msg))
    except RecursionError:
        found.wrong(1, Phrase("this is nested too deep to be prices"))


def _members(text: str) -> Iterator[tuple[str, Any, int]]:
    """The members of an object with the line each begins on. Raises JSONDecodeError."""
    decoder = json.JSONDecoder(object_pairs_hook=_named_once)
    at = _blank(text, _blank(text, 0) + 1)
    line = 1 + text.count("\n", 0, at)
    while text[at : at + 1] != "}":
        if text[at : at + 1] != '"':
            raise json.JSONDecodeError("a model's name in quotes is expected", text, at)
        begins, begins_on = at, line
        name, at = decoder.raw_decode(text, at)
        at = _blank(text, at)
        if text[at : at + 1] != ":":
            raise json.JSONDecodeError("a colon is expected", text, at)
        value, at = decoder.raw_decode(text, _blank(text, at + 1))
        yield name, value, begins_on
        at = _blank(text, at)
        if text[at : at + 1] == ",":
            at = _blank(text, at + 1)
        elif text[at : at + 1] != "}":
            raise json.JSONDecodeError("a comma or the end of the object is expected", text, at)
        line += text.count("\n", begins, at)
    if _blank(text, at + 1) < len(text):
        raise json.JSONDecodeError("nothing may follow the object", text, at + 1)


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of an amount that is written twice neither is taken: what is no text is refused by its name."""
    named: dict[str, Any] = {}
    for name, value in pairs:
        named[name] = None if name in named else value
    return named


def _blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return at if match is None else match.end()


def _add(model: str, written: Written, line: int, found: PriceFile) -> None:
    if model in found.written:
        found.wrong_of(model, line, Phrase("it is priced already on line %(line)s", line=found.lines[model][0]))
        return
    found.written[model] = written
    found.lines[model] = [line]
