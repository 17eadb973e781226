"""A provider that answers its list of models with a redirect: where it leads, and the base URL that this means.

A redirect is not followed: the key would go along, and a POST would become a GET.
"""

import re
from typing import Final
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from tollhouse.core.cleaning import without_secrets
from tollhouse.core.upstream import Headers
from tollhouse.providers.base_url import BaseUrl, InvalidBaseUrl
from tollhouse.providers.base_url import read as read_base_url
from tollhouse.providers.kind import Kind

_USER: Final = re.compile(r"//[^/@]*@")
_SHOWN_MAX: Final = 300  # characters


class Redirect(Struct, frozen=True):
    reason: str
    cure: str


def read(kind: Kind, base_url: str, status: int, headers: Headers) -> Redirect:
    """What a redirect of `GET base_url/models` means for the operator; never a query, which may hold a secret."""
    asked = read_base_url(kind, base_url)
    location = next((value for name, value in headers if name == b"location"), b"").decode("latin-1").strip()
    where = _target(asked, location, kind.models_path)
    if not where:
        return Redirect(f"it redirects (HTTP {status}), and says not where to", "check the path of base_url")
    reason = f"it redirects to {without_secrets(where)[:_SHOWN_MAX]} (HTTP {status}), which is not followed"
    address = _base_url(kind, where)
    if address is None:
        return Redirect(reason, "no list of models stands there (a login page?): check host and path of base_url")
    if address.base_url == asked.base_url:
        return Redirect(reason, "that is the same base URL: mend what stands before the provider and redirects")
    lasting = "" if status in (301, 308) else "; it says that this is for now only"
    return Redirect(reason, f'write base_url = "{without_secrets(address.base_url)}"{lasting}')


def _target(asked: BaseUrl, location: str, models_path: str) -> str:
    """The whole address without user and query; empty: there is none, or none that can be read."""
    if not location:
        return ""
    try:
        whole = urljoin(f"{asked.origin}{asked.path}{models_path}", location)
    except ValueError:
        return ""
    return _USER.sub("//", whole.partition("#")[0].partition("?")[0])


def _base_url(kind: Kind, where: str) -> BaseUrl | None:
    """None: what stands there is no list of models."""
    try:
        path = urlsplit(where).path.rstrip("/")
        if not path.endswith(kind.models_path):
            return None
        return read_base_url(kind, f"{where.rstrip('/').removesuffix(kind.models_path)}#")
    except (InvalidBaseUrl, ValueError):
        return None
