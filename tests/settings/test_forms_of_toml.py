"""Mistakes of TOML as people make them, each told with its line and with what to write instead."""

import pytest

from tests.settings.test_platform_file import config_environment
from tollhouse.services.platform_file import read

SERVER = '[server]\nlisten = "127.0.0.1:0"\n'
MODEL = "[models.x]\noffers = []\nfree = true\n"
PRICED = "[models.x]\noffers = []\nprice = "
UP = '[providers.up]\nkind = "openai_compatible"\nbase_url = "https://h.example/v1"\napi_keys = '

ACCEPTED = {
    "tabs before and between": '[server]\n\tlisten\t=\t"127.0.0.1:0"\n',
    "a heading that is indented": '  [server]\n    listen = "127.0.0.1:0"\n',
    "a heading in quotes": '["server"]\nlisten = "127.0.0.1:0"\n',
    "single quotes": "[server]\nlisten = '127.0.0.1:0'\n",
    "a comment behind a value": '[server]\nlisten = "127.0.0.1:0" # here\n',
    "a byte order mark": "\ufeff" + SERVER,
    "CRLF": SERVER.replace("\n", "\r\n"),
    "no end of the last line": SERVER.rstrip("\n"),
    "a date": MODEL + "retires_at = 2027-06-01\n",
    "a list over lines with a comma at its end": UP + '[\n  "env:KEY",\n]\n',
    "a path in single quotes": UP + "['file:C:\\keys\\main.txt']\n",
    "curly quotes within a text": SERVER + '[platform]\nname = "the \u201cbest\u201d house"\n',
    "an empty file": "",
}
REFUSED = {
    "a table twice": (SERVER + MODEL + MODEL, 6, "a second time"),
    "a table twice in other quotes": (MODEL + "[models.'x']\n" + "free = true\n", 4, "a second time"),
    "a table below one in braces": ("[models]\nx = { free = true }\n[models.x.price]\n", 3, "a second time"),
    "a section twice": (SERVER + "[server]\nworkers = 1\n", 3, "a second time"),
    "a name twice": ('[server]\nlisten = "a:1"\nlisten = "b:1"\n', 3, "has a value already"),
    "a table in braces that is added to": (PRICED + '{ input = "1" }\n[models.x.price]\noutput = "2"\n', 4, "a second"),
    "an address without quotes": ("[server]\nlisten = 127.0.0.1:8080\n", 2, "a text stands in quotes"),
    "a word without quotes": ("[server]\nlog = stderr\n", 2, "a text stands in quotes"),
    "a path without quotes": ("[server]\nlog = /var/log/t.log\n", 2, "a text stands in quotes"),
    "a list without quotes": (UP + "[env:KEY]\n", 4, "a text stands in quotes"),
    "a variable of a shell": ("[server]\nlog = ${LOG}\n", 2, "a text stands in quotes"),
    "a variable of a shell in quotes": ('[server]\nlog = "${LOG}"\n', 2, "no variable is filled in here"),
    "a variable of Windows": ('[server]\nlog = "%LOG%"\n', 2, "no variable is filled in here"),
    "a variable for the master key": ('[server]\nmaster_key = "$MASTER"\n', 2, "write env:NAME"),
    "curly quotes": ("[server]\nlisten = \u201c127.0.0.1:0\u201d\n", 2, "straight quotes"),
    "curly single quotes": ("[server]\nlisten = \u2018127.0.0.1:0\u2019\n", 2, "straight quotes"),
    "low quotes": ("[server]\nlisten = \u201e127.0.0.1:0\u201c\n", 2, "straight quotes"),
    "angle quotes": ("[server]\nlisten = \u00ab127.0.0.1:0\u00bb\n", 2, "straight quotes"),
    "full width quotes": ("[server]\nlisten = \uff02127.0.0.1:0\uff02\n", 2, "straight quotes"),
    "backticks": ("[server]\nlog = `stderr`\n", 2, "straight quotes"),
    "curly quotes around a name": ("[models.\u201cgpt-4.1\u201d]\n", 1, "straight quotes"),
    "a colon": ('[server]\nlisten: "127.0.0.1:0"\n', 2, "joined by =, not by :"),
    "a colon without quotes": ("[server]\nlisten: 127.0.0.1:0\n", 2, "joined by =, not by :"),
    "a colon in braces": (PRICED + '{ input: "1" }\n', 3, "joined by =, not by :"),
    "JSON in braces": (PRICED + '{ "input": "1" }\n', 3, "joined by =, not by :"),
    "colon and equals sign": ('[server]\nlog := "stderr"\n', 2, "joined by =, not by :"),
    "two equals signs": ('[server]\nlog == "stderr"\n', 2, "one ="),
    "an arrow": ('[server]\nlog => "stderr"\n', 2, "one ="),
    "YAML": ('server:\n  listen: "127.0.0.1:0"\n', 1, "this looks like YAML"),
    "JSON": ('{"server": {"listen": "127.0.0.1:0"}}\n', 1, "this looks like JSON"),
    "a web page": ("<!DOCTYPE html>\n<html></html>\n", 1, "a page of the web"),
    "a comment of INI": ("; here\n[server]\n", 1, "a comment begins with #"),
    "a comment of C": ("// here\n[server]\n", 1, "a comment begins with #"),
    "a fence": ("```toml\n[server]\n```\n", 1, "block of code"),
    "a conflict": ("[server]\n<<<<<<< HEAD\nworkers = 1\n", 2, "a conflict of versions"),
    "braces over lines": (PRICED + '{\n  input = "1",\n}\n', 3, "ends on the line where it begins"),
    "a comma at the end of braces": (PRICED + '{ input = "1", }\n', 3, "no comma stands before }"),
    "a path of Windows": ('[server]\nlog = "C:\\Users\\me\\t.log"\n', 2, "a path in single quotes, or with /"),
    "a path of Windows, another letter": (
        UP + '["file:C:\\keys\\main.txt"]\n',
        4,
        "a path in single quotes, or with /",
    ),
    "a path of Windows that is TOML": (
        '[server]\nlog = "C:\\tollhouse\\new.log"\n',
        2,
        "its backslashes began escapes",
    ),
    "a file of Windows that is TOML": (UP + '["file:C:\\true\\new"]\n', 4, "its backslashes began escapes"),
    "double brackets around a section": ("[[server]]\nworkers = 1\n", 1, "expected a table: [server]"),
    "double brackets around a name": ("[[models.x]]\noffers = []\n", 1, "[models.x], in one pair of brackets"),
    "a bracket that is missing": ("[server\nworkers = 1\n", 1, "the closing bracket is missing"),
    "a bracket too many": ("[server]]\nworkers = 1\n", 1, "as many close it as open it"),
    "a colon behind a heading": ("[server]:\nworkers = 1\n", 1, "nothing follows a heading"),
    "True": (PRICED.replace("price", "free") + "True\n", 3, "true or false, in small letters"),
    "yes": (PRICED.replace("price", "free") + "yes\n", 3, "true or false, in small letters"),
    "true in quotes": (PRICED.replace("price", "free") + '"true"\n', 3, "expected true or false"),
    "null": ("[server]\nlog = null\n", 2, "leave the line out"),
    "None": ("[server]\nlog = None\n", 2, "leave the line out"),
    "no value": ("[server]\nlog =\n", 2, "a value is missing"),
    "no value but a comment": ("[server]\nlog = # later\n", 2, "a value is missing"),
    "a quotation mark that is missing": ('[server]\nlog = "stderr\nworkers = 1\n', 2, "closing quotation mark"),
    "quotation marks within": ('[platform]\nname = "the "best" house"\n', 2, 'is written \\"'),
    "two on a line": ('[server]\nlog = "stderr" workers = 1\n', 2, "a line of its own"),
    "a comma at the end": ('[server]\nlog = "stderr",\n', 2, "remove the ,"),
    "a semicolon at the end": ('[server]\nlog = "stderr";\n', 2, "remove the ;"),
    "a leading zero": ("[server]\nworkers = 01\n", 2, "no leading zero"),
    "a number in quotes": ('[server]\nworkers = "1"\n', 2, "expected a whole number"),
    "a text where a list is": (UP + '"env:KEY"\n', 4, 'a list, such as ["..."]'),
    "a list without its comma": (UP + '[\n  "env:A"\n  "env:B"\n]\n', 6, "a comma stands between"),
    "day, month, year": (MODEL + "retires_at = 01.06.2027\n", 4, "a date is written 2027-06-01"),
    "day, month, year in quotes": (MODEL + 'retires_at = "01/06/2027"\n', 4, 'such as "2027-06-01"'),
    "a time where a date is": (MODEL + "retires_at = 2027-06-01T00:00:00Z\n", 4, 'such as "2027-06-01"'),
    "a blank that does not break": ("[server]\nworkers\u00a0= 1\n", 2, "U+00A0 NO-BREAK SPACE was copied along"),
    "indented by such blanks": ("[server]\n\u00a0\u00a0workers = 1\n", 2, "U+00A0 NO-BREAK SPACE was copied along"),
    "a character without width": ("[server]\n\u200bworkers = 1\n", 2, "U+200B ZERO WIDTH SPACE was copied along"),
    "a full width equals sign": ("[server]\nworkers \uff1d 1\n", 2, "U+FF1D FULLWIDTH EQUALS SIGN was copied along"),
    "a capital": ("[Server]\nworkers = 1\n", 1, "the nearest known one is [server]"),
    "lines that end with CR alone": (SERVER.replace("\n", "\r"), 1, "save it with LF or CRLF"),
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_what_toml_allows_is_read(text: str) -> None:
    reading = read(text.encode(), config_environment(KEY="sk-1"))
    mistakes = [str(mistake) for mistake in reading.mistakes if "file C:\\keys" not in mistake.message]
    assert mistakes == [] or "file:" in text
    if "listen" in text:
        assert reading.settings.server.listen == "127.0.0.1:0"


@pytest.mark.parametrize(("text", "line", "words"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_has_its_line_and_its_cure(text: str, line: int, words: str) -> None:
    mistakes = read(text.encode(), config_environment()).mistakes
    assert [mistake for mistake in mistakes if mistake.line == line and words in mistake.message], mistakes


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "gb18030"])
def test_another_encoding_is_named(encoding: str) -> None:
    (mistake,) = read(
        '[platform]\nname = "Zoll\u2013\u00e4"\n'.encode(encoding, "replace"), config_environment()
    ).mistakes
    assert "UTF-8" in mistake.message
