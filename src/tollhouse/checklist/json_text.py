"""Step 2: why a text is no JSON, told by what people usually write instead."""

import re
from typing import Final

from tollhouse.core.phrase import Phrase

_LOOKED_AT: Final = 50_000
_STRING: Final = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*("|\n|$|\\)')
"""With the string that does not end: so each is looked at once."""
_SINGLE: Final = re.compile(r"[{\[,:]\s*'")
_PYTHON: Final = re.compile(r"[:\[,]\s*(True|False|None)\b")
_COMMA: Final = re.compile(r",\s*[}\]]")
_UNQUOTED: Final = re.compile(r"[{,]\s*[A-Za-z_][A-Za-z0-9_]*\s*:")
_COMMENT: Final = re.compile(r"(?:^|[\s,{\[])(?://|/\*|#)")
_NUMBER: Final = re.compile(r"[:\[,]\s*-?(?:NaN|Infinity|undefined)\b")
_FORM: Final = re.compile(r"\s*[A-Za-z_]{1,40}=")
_NO_COMMA: Final = re.compile(r'(?:""|[0-9}\]]|true|false|null)[ \t]*\n\s*"')


def cure_of(text: str) -> Phrase:
    """How a body that is no JSON becomes it."""
    start = text.lstrip("\ufeff \t\r\n")
    if not start:
        return Phrase('Send a JSON object as the body, as in `{"model": "...", "messages": [...]}`.')
    if start[0] == "@":
        return Phrase(
            "The name of a file came instead of what it holds: with curl, `-d @body.json` without quotes inside."
        )
    if start[0] == "<":
        return Phrase("The body is a page of HTML or XML: send a JSON object.")
    if start[0] in "'\"" and start[1:2] == "{":
        return Phrase(
            'Quotes of the shell came along: in cmd.exe write `-d "{\\"model\\": ...}"`, or use `-d @body.json`.'
        )
    if _FORM.match(start):
        return Phrase("The body is a form (`name=value`): send JSON, in Python with `json=` instead of `data=`.")
    bare = _STRING.sub(lambda found: '""' if found[1] == '"' else '"\0', start[:_LOOKED_AT])
    for pattern, cure in (
        (re.compile("[\u201c\u201d\u2018\u2019]"), Phrase('Replace the typographic quotes by straight ones (`"`).')),
        (
            _SINGLE,
            Phrase("JSON wants double quotes: in Python send `json.dumps(body)` or `json=body`, not `str(body)`."),
        ),
        (_PYTHON, Phrase("Write `true`, `false` and `null`: in Python send `json.dumps(body)` or `json=body`.")),
        (
            _UNQUOTED,
            Phrase(
                "The names have lost their quotes, usually in a shell: put the body into a file and send it with"
                " `-d @body.json`."
            ),
        ),
        (_COMMENT, Phrase("JSON has no comments: remove them.")),
        (_COMMA, Phrase("Remove the comma behind the last entry.")),
        (_NUMBER, Phrase("JSON has no `NaN`, `Infinity` and `undefined`: send a number or leave the field out.")),
        (_NO_COMMA, Phrase("A comma is missing between two entries.")),
    ):
        if pattern.search(bare):
            return cure
    if "\0" in bare and "\n" in start:
        return Phrase("A text goes over several lines: write line breaks as `\\n`, or let a library write the JSON.")
    return Phrase("Mend the place that is named, or let a library write the JSON.")
