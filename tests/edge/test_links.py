"""Errors lead to the page of their code and to the receipt of the call, where the platform has a public address."""

import http.client
import json
from contextlib import suppress
from pathlib import Path

from tests.support.server_process import served
from tollhouse.core.failure import Overloaded
from tollhouse.core.links import Links, links, site
from tollhouse.formats.anthropic import failure as anthropic
from tollhouse.formats.openai import failure as openai


def test_address_is_written_as_paths_are_put_behind_it() -> None:
    assert site("https://llm.example/v1/") == site("https://llm.example/") == "https://llm.example"
    assert links("overloaded", "", "req_1") is None
    assert links("overloaded", "https://llm.example/v1", "") == Links("https://llm.example/docs/errors/overloaded")


def test_error_of_the_openai_format_names_its_pages() -> None:
    failure = Overloaded("busy")
    assert "doc_url" not in json.loads(openai.body(failure, "req_1"))["error"]
    failure.links = links(failure.code, "https://llm.example", "req_1")
    error = json.loads(openai.body(failure, "req_1"))["error"]
    assert error["doc_url"] == "https://llm.example/docs/errors/overloaded"
    assert error["request_log_url"] == "https://llm.example/console/requests/req_1"
    assert json.loads(openai.event(failure, "req_1").removeprefix(b"data: "))["error"] == error
    assert set(json.loads(anthropic.body(failure, "req_1"))["error"]) == {"type", "message"}


def test_running_platform_links_calls_streams_and_unknown_paths(tmp_path: Path) -> None:
    config = tmp_path / "public.toml"
    config.write_text('[platform]\npublic_url = "https://llm.example"\n')
    words = ("demo", "--dir", str(tmp_path / "demo"), "--config", str(config))
    with served(*words, log=tmp_path / "log") as running:

        def asked(path: str, simulate: str = "", **body: object) -> tuple[str, str]:
            """The body, and the id that the answer named."""
            whole = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello"}], **body}
            headers = {
                "authorization": f"Bearer {running.facts['test_key']}",
                "content-type": "application/json",
                "x-tollhouse-simulate": simulate,
            }
            connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
            connection.request("POST", path, json.dumps(whole), headers)
            answer = connection.getresponse()
            pieces = []
            with suppress(http.client.IncompleteRead):
                while piece := answer.read1():
                    pieces.append(piece)
            connection.close()
            return b"".join(pieces).decode(), answer.headers["x-request-id"]

        text, request_id = asked("/v1/chat/completions", "error=overloaded")
        assert json.loads(text)["error"]["doc_url"] == "https://llm.example/docs/errors/overloaded"
        assert json.loads(text)["error"]["request_log_url"].endswith(f"/console/requests/{request_id}")
        text, request_id = asked("/v1/chat/completions", "cut_after=3", stream=True)
        last = json.loads(text.strip().rpartition("data: ")[2])["error"]
        assert last["doc_url"] == "https://llm.example/docs/errors/upstream_error"
        assert last["request_log_url"].endswith(f"/console/requests/{request_id}")
        error = json.loads(asked("/v1/nothing")[0])["error"]
        assert error["doc_url"] == "https://llm.example/docs/errors/not_found"
        assert "request_log_url" not in error
