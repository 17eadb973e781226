"""Log probabilities for who asks for them: every piece of text is a token, and certain."""

from typing import Any

import msgspec

from tollhouse.upstream.simulator.words import pieces

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode


def with_logprobs(answer: bytes) -> bytes:
    """The body of a chat completion, or one chunk of its stream, with `logprobs` beside each text."""
    decoded = _decode(answer)
    for choice in decoded["choices"]:
        text = (choice.get("message") or choice["delta"]).get("content")
        if text:
            tokens = [
                {"token": piece, "logprob": 0.0, "bytes": list(piece.encode(errors="replace")), "top_logprobs": []}
                for piece in pieces(text)
            ]
            choice["logprobs"] = {"content": tokens, "refusal": None}
    return _encode(decoded)
