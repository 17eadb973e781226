"""What anybody may send is looked at in a time that grows no faster than it."""

from time import process_time

import pytest

from tollhouse.checklist.examination import SIZES, Pasted, examine
from tollhouse.formats import codecs

SECONDS_MAX = 3
"""Ten times of what the slowest takes: a quadratic search takes a minute."""
PIECES = (
    *('"', '\\"', "{", "[", '{"a":', '{"role":"user","content":"x"},', " ", "\n", '"\\', "a", "a=", "'", ",", "0\n"),
    *(
        "tool ",
        ":",
        '{"role":',
        "sk-",
        "eyJ",
        "%",
        "authorization: ",
        "\u2026",
        '-H "',
        "req_",
        "/",
        "/v1",
        "\U0001f511",
    ),
    *(
        "<html",
        'message: "',
        "API key ",
        "a_b ",
        "Error (",
        "true\n",
        "{a:",
        "[1,",
        "A",
        "Aa0",
        "_",
        "a_",
        "Retry-After: ",
    ),
)


@pytest.mark.parametrize("field", SIZES)
def test_no_text_takes_long(field: str) -> None:
    for piece in PIECES:
        for begun in ("", '{"model":"m","messages":['):
            text = (begun + piece * (SIZES[field] // len(piece) + 1))[: SIZES[field]]
            before = process_time()
            examine(Pasted(**{field: text}), codecs(), "https://toll.example")
            assert process_time() - before < SECONDS_MAX, (field, piece)
