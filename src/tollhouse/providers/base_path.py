"""What a kind takes for the path of a base URL, where more can be written than one prefix and nothing."""

import re
from collections.abc import Callable
from typing import Final

_VERSION: Final = re.compile(r"/v[0-9]+[a-z0-9]*\Z", re.ASCII)
_TEXT_ENDPOINTS: Final = ("/chat/completions", "/completions", "/embeddings", "/responses", "/messages", "/models")


def versioned(version: str, own: str = "", besides: tuple[str, ...] = ()) -> Callable[[str], str]:
    """For vendors whose SDKs add the version themselves, so that base URLs are written without it: it is added where
    the path does not end with one. own: what stands there where only the host is written. besides: ends
    of paths that lead to another API of the same server: they are cut."""

    def base_path(written: str) -> str:
        written = written.removesuffix(next((one for one in besides if written.endswith(one)), ""))
        if not written and own:
            return own
        return written if _VERSION.search(written) else written + version

    return base_path


def above(prefixes: tuple[str, ...], own: str = "") -> Callable[[str], str]:
    """For vendors whose formats stand below several prefixes: whichever of them is written, what stands before it. own:
    what stands there where only the host is written."""
    parents = {prefix.rpartition("/")[0] for prefix in prefixes}
    endings = sorted({*prefixes, *parents, *_TEXT_ENDPOINTS} - {""}, key=len, reverse=True)

    def base_path(written: str) -> str:
        while ending := next((ending for ending in endings if written.endswith(ending)), ""):
            written = written.removesuffix(ending)
        return written or own

    return base_path
