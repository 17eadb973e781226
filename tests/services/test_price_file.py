"""A file of prices: CSV as a spreadsheet writes it, or JSON; every mistake with its line, in one run."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.billing.prices_in_use import rows
from tollhouse.billing.prices import BadPrice, costs_nothing, read_price
from tollhouse.services.price_file import MODELS_MAX, read
from tollhouse.services.translation import said

TIERED = {
    "gpt-4o": {"input": "2.50", "cache_read": "1.25", "output": "10.00"},
    "toll-1": {
        "input": "2",
        "output": "8",
        "tiers": [
            {"input": "4", "output": "12", "above_input_tokens": 200000},
            {"input": "6", "output": "18", "above_input_tokens": 400000},
        ],
    },
    "draw-1": {"per_image": "0.04"},
}
CSV = """model,input,cache_read,output,above_input_tokens,per_image
gpt-4o,2.50,1.25,10.00,,
toll-1,2,,8,,
toll-1,4,,12,200000,

draw-1,,,,,0.04
toll-1,6,,18,400000,
"""


ROWS = rows().filter(lambda row: not costs_nothing(row))


@pytest.mark.parametrize(
    "data",
    [
        CSV.encode(),
        CSV.replace(",", "\t").encode(),
        ("sep=;\n" + CSV.replace(",", ";")).encode(),
        CSV.replace("\n", ",,\n").encode(),
        CSV.replace("\n", "\r\n").encode(),
        CSV.encode("utf-8-sig"),
        CSV.replace(",", ";").encode(),
        "\n".join(
            ",".join(f' "{cell}"' if cell == "gpt-4o" else cell for cell in line.split(",")) for line in CSV.split("\n")
        )
        .replace(' "', '"')
        .encode(),
        json.dumps(TIERED).encode(),
        ("\n\n" + json.dumps(TIERED, indent=4)).encode(),
    ],
)
def test_csv_and_json_say_the_same(data: bytes) -> None:
    found = read(data)
    assert found.messages() == []
    assert found.written == TIERED


@given(
    st.dictionaries(st.text("abc-/:1", min_size=1, max_size=5), ROWS, min_size=1, max_size=5),
    st.sampled_from((None, 2)),
)
def test_whatever_platform_toml_can_say_a_file_can(written: dict[str, dict[str, object]], indent: int | None) -> None:
    found = read(json.dumps(written, indent=indent).encode())
    assert found.messages() == []
    assert found.written == written


@given(st.binary(max_size=200) | st.text('{}[]":,;\nmodelinput.1', max_size=80).map(str.encode))
def test_whatever_comes_is_read_whole_or_refused_with_a_line(data: bytes) -> None:
    found = read(data)
    assert found.mistakes or found.written
    assert all(line >= 1 and message for line, message in found.mistakes)
    for model, written in found.written.items():
        if written and not found.mistakes:
            read_price(written, id="price_1", model=model)


def told(text: str) -> list[str]:
    return list(map(str, read(text.encode()).messages()))


def test_every_mistake_of_a_csv_stands_in_the_one_answer_with_its_line() -> None:
    text = """model,input,output,above_input_tokens
a,1e3,2,
,1,2,
b,1,2,
b,1,2,
late,,,10
b,4,16,1000
b,4,16,500
b,4,16,many
c,,,
d,1,2,3,4
"""
    assert [line.partition(": ")[0] for line in told(text)] == [f"line {line}" for line in (2, 3, 5, 6, 8, 10, 11)]
    words = told(text)
    assert "'1e3' is not an amount" in words[0]
    assert "no model is named" in words[1]
    assert "b: it is priced already on line 4" in words[2]
    assert "late: a tier stands below" in words[3]
    assert "more than 1000" in words[4]
    assert "c: input" in words[5]
    assert "column 5 holds" in words[6]
    assert "line 4: b: tiers[0].above_input_tokens" in told("model,input,above_input_tokens\n\na,1,\na,1,0x10\n")[
        0
    ].replace("a:", "b:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "line 1: there is no price in it"),
        ("\n\n", "line 1: there is no price in it"),
        ("{}", "line 1: there is no price in it"),
        ("model,inptu\na,1\n", "line 1: 'inptu' is no column; the nearest known one is input"),
        ("\nname,input\na,1\n", "line 2: 'name' is no column"),
        ("input,output\n1,2\n", "line 1: the head line names no column `model`"),
        ("model,input,input\na,1,2\n", "line 1: the head line names a column twice"),
        ('model,input\na,"1\n', "line 2: "),
        ("model,input\n\x00,1\n", "line 2: "),
        ('{"a": {"input": 2.5}}', 'line 1: a: input: write the amount as text, such as "2.5"'),
        (
            '{\n"a": {"input": "1"},\n"b": {"inptu": "1"}\n}',
            "line 3: b: inptu: no such price; the nearest known one is input",
        ),
        ('{"a": {"input": "1"},\n"a": null}', "line 2: a: it is priced already on line 1"),
        ('{"a": {"input": "1", "input": "2"}}', "line 1: a: input: write the amount as text"),
        ('{"a": "2.50"}', "line 1: a: write its price, such as"),
        ('{"a": {}}', "line 1: a: write its price, such as"),
        ('{"a" {}}', "line 1: this is no JSON: a colon is expected"),
        ('{"a": {"input": "1"}\n"b": null}', "line 2: this is no JSON: a comma or the end of the object is expected"),
        ('{"a": {"input": "1"}} x', "line 1: this is no JSON: nothing may follow the object"),
        ("{a: 1}", "line 1: this is no JSON: a model's name in quotes is expected"),
        ('{"a": {"input": "1"', "line 1: this is no JSON"),
        ('{"a": ' + "[" * 100_000, "line 1: "),
        ('{" a": {"input": "1"}}', "line 1: a model's name is 1 to 200 printing characters"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line_and_cure(text: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in told(text)), told(text)


def test_another_encoding_is_named() -> None:
    assert read("model,input\nh\xe9,1\n".encode("latin-1")).messages() == [
        "line 2: this is not UTF-8: save the file as UTF-8"
    ]


def test_null_takes_a_model_out_of_the_list() -> None:
    assert read(b'{"a": null}').written == {"a": {}}


def test_a_file_has_a_bound() -> None:
    many = {f"m-{number}": {"input": "1"} for number in range(MODELS_MAX + 1)}
    assert "too many" in read(json.dumps(many).encode()).messages()[0]


def test_a_tier_says_all_that_it_charges_by() -> None:
    with pytest.raises(BadPrice, match="input"):
        read_price({"input": "1", "tiers": [{"above_input_tokens": 5, "output": "2"}]}, id="", model="")
    assert "tiers[0].input" in told("model,input,output,above_input_tokens\na,1,2,\na,,3,100\n")[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model,input,,output\na,1,,2\n", []),
        ("model,input,,output\na,1, ,2\n", []),
        ('model,input,"",output\na,1,"",2\n', []),
        ("model,input,output,\na,1,2,\n", []),
        ("model,input,output\na,1,2,,,\n", []),
        ("model,input,cache_read,output\na,1,,2\n", []),
        ("model,input,output\na,1\n", []),
        ("model,input,,output\na,1,3,2\n", ["line 2: column 3 holds '3', but the head line names no such column"]),
        ("model,input\na,1,2\n", ["line 2: column 3 holds '2', but the head line names no such column"]),
        ("model,input,output\na,1,2\nb,,\n", ["line 3: b: input: '' is not an amount"]),
        ("model,input,output\n,1,2\n", ["line 2: no model is named"]),
        ("sep=;\nmodel;input\n\na;x\n", ["line 4: a: input: 'x' is not an amount"]),
    ],
)
def test_empty_cells_and_columns_are_absent_or_refused_with_line_and_column(text: str, expected: list[str]) -> None:
    found = told(text)
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True)), found


@pytest.mark.parametrize(
    ("price", "cure"),
    [
        ("$2.50", "without a currency"),
        ("2.50 USD", "without a currency"),
        ("2.50\u20ac", "without a currency"),
        ("\u00a52.50", "without a currency"),
        ("2,50", "a point marks decimals"),
        ("1,000.00", "a point marks decimals"),
        ("1'000", "a point marks decimals"),
        ("1 000", "a point marks decimals"),
        ("1\u202f000", "a point marks decimals"),
        ("1_000", "a point marks decimals"),
        ("2\u066b5", "a point marks decimals"),
        ("2.5e-06", "without an exponent"),
        ("1E3", "without an exponent"),
        ("+2.50", "without a sign"),
        ("-2.50", "without a sign"),
        ("\u22122.50", "without a sign"),
        (".5", "in ASCII digits, with one before the point"),
        ("\u0662.5", "in ASCII digits"),
        ("\uff12.\uff15", "in ASCII digits"),
        ("0.0000000025", "less than a nano-dollar"),
        ("free", ""),
        ("n/a", ""),
        ("-", "this is no number"),
        ("NaN", ""),
        ("2.50/M", ""),
    ],
)
def test_a_price_in_another_notation_is_refused_with_its_line_and_its_cure(price: str, cure: str) -> None:
    (line,) = told(f'model,input,output\ngood,1,2\nodd,"{price}",2\n')
    assert line.startswith(f"line 3: odd: input: {price!r} is not an amount: ")
    assert cure in line


@pytest.mark.parametrize("name", ["input_cost_per_token", "output_cost_per_token", "Input token price"])
def test_prices_per_token_are_told_from_prices_per_million(name: str) -> None:
    (line,) = told(f"model,input,{name}\na,1,2\n")
    assert line.startswith(f"line 1: {name!r} is no column; the nearest known one is ")
    assert "USD per million tokens, not per token" in line
    assert line.endswith("in column 3")


@pytest.mark.parametrize(
    "text",
    [
        "model,input,output\na,0,0\n",
        "model,input,output\na,0.00,0.000000000\n",
        "model,per_request\na,0\n",
        "model,input,above_input_tokens\na,0,\na,0,1000\n",
        '{"a": {"input": "0"}}',
        '{"a": {"input": "0", "service_tiers": {"priority": {"input": "0.0"}}}}',
    ],
)
def test_a_price_of_nothing_is_refused(text: str) -> None:
    (line,) = told(text)
    assert "a price of nothing" in line
    assert "free = true" in line


@pytest.mark.parametrize(
    "text",
    [
        "model,input,output\na,0,2\n",
        "model,input,above_input_tokens\na,0,\na,1,1000\n",
        '{"a": {"input": "0", "service_tiers": {"priority": {"input": "0.1"}}}}',
        '{"a": null}',
    ],
)
def test_a_price_with_a_part_that_costs_is_one(text: str) -> None:
    assert told(text) == []


def test_utf_16_is_named() -> None:
    assert read(CSV.encode("utf-16")).messages() == ["line 1: this is not UTF-8 but UTF-16: save the file as UTF-8"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"model,inptu\nx,1\n", "第 1 行：'inptu' 不是列名；最接近的是 input（可选："),
        (b"model,input\nx,2.5e-6\n", "第 2 行：x: input：'2.5e-6' 不是金额"),
        (b"model,input\n,1\n", "第 2 行：没有写明模型"),
        (b"model,input\nx,1\nx,2\n", "第 3 行：x：第 2 行已经定过价"),
        (b'{"x": {"input": 2.5}}', '第 1 行：x: input：请把金额写成文本，例如 "2.5"'),
        (b"\xff\xfe", "文件编码是 UTF-16 而不是 UTF-8"),
    ],
)
def test_mistakes_are_said_in_the_language_of_the_reader(data: bytes, told: str) -> None:
    (message, *_) = read(data).messages()
    assert told in said("zh-CN")(message)
    assert message.isascii()
