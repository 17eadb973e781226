"""What tells a class, a field, a file or a version from a host, and a long name from a secret.

A host is what ends in a name under which servers stand. Anything else with dots is kept only where its own form says
that it is none; a word that nothing tells is taken for a host.
"""

import re
from typing import Final

_FIELD_NAMES = (
    "additionalproperties annotations args arguments audio background body budget_tokens cache_control candidates "
    "choices citations code config content contents context custom data default definitions delta description detail "
    "details dimensions document documents effort encoding_format enum error examples extra_body extra_query file "
    "file_data file_id file_url filename filter filters format frequency_penalty function function_call functions "
    "generate_summary grammar guidance header headers html id image image_url images include_usage index input "
    "input_audio input_schema input_text instructions item items json json_schema keys kwargs language length link "
    "location logit_bias logprobs max_completion_tokens max_output_tokens max_tokens maximum media message messages "
    "metadata minimum modalities mode model name options order output output_text oneof parameters params part parts "
    "pattern plugins prediction presence_penalty previous_response_id prompt properties property provider query "
    "reasoning ref refusal request required response response_format results role safety schema score search seed "
    "size source speed stop store stream stream_options strict style summary system temperature text thinking title "
    "tool tool_call tool_call_id tool_calls tool_choice tool_use tool_result tools top_k top_logprobs top_p total "
    "transforms truncation type url urls usage user value values verbosity video voice web"
)
_FIELDS: Final = frozenset(_FIELD_NAMES.split())
_ROOTS_NAMES = (
    "additionalproperties arguments body candidates choices contents content definitions extra_body function "
    "functions input items messages metadata parameters params parts prompt properties request response_format schema "
    "tool_choice tools"
)
_ROOTS: Final = frozenset(_ROOTS_NAMES.split())
"""A path that begins so is one of fields, also where names of the caller's own follow."""

_SERVERS_NAMES = (
    "com net org io ai dev app cloud co cn eu us de uk fr jp kr in ru sg hk tw au ca br nl se ch es it pl xyz tech "
    "so gg me info biz internal local localhost lan svc corp home intranet cluster localdomain private test example "
    "invalid onion arpa host site online space network systems services compute ec2 k8s pod consul docker node rack "
    "gov edu mil int"
)
_SERVERS: Final = frozenset(_SERVERS_NAMES.split())
"""Names under which servers of providers stand, with those of private networks."""

_FILES_NAMES = (
    "pdf png jpg jpeg gif webp bmp tiff svg heic ico mp3 mp4 wav ogg flac m4a webm avi mpeg mpga opus json jsonl csv "
    "tsv txt yaml yml toml xml html htm css js jsx ts tsx mjs py pyc ipynb java kt go rb php c h cpp hpp cc cs swift "
    "scala doc docx xls xlsx ppt pptx odt rtf epub parquet arrow gguf ggml safetensors bin pt pth onnx npz pkl tar "
    "gz tgz bz2 7z rar log cfg ini conf env sql lock jinja jinja2 j2 proto"
)
_FILES: Final = frozenset(_FILES_NAMES.split())
_FILES_LIKE_SERVERS_NAMES = "md rs sh zip mov ps vue"
_FILES_LIKE_SERVERS: Final = frozenset(_FILES_LIKE_SERVERS_NAMES.split())
"""Endings of files that are names of countries and the like, too: of two labels they are files."""

_LIKE_HOSTS: Final = frozenset({"asp.net", "socket.io", "vb.net", "ado.net", "ml.net"})
_CLASS: Final = re.compile(r"[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*")
_CAMEL: Final = re.compile(r"[a-z][a-z0-9]*[A-Z][A-Za-z0-9]*")
_WORDS: Final = re.compile(r"[A-Z][a-z]{3,}")
_RUN: Final = re.compile(r"[A-Za-z]+|[0-9]+")
_HELD: Final = re.compile(
    r"(?:call|toolu|srvtoolu|fc|msg|resp|rs|chatcmpl|cmpl|file|asst|thread|run|item|ws|vs|batch|tool|audio|ctc|mcp|ig"
    r"|ci|rsn|step|part|img|fs)[-_](?:[A-Za-z0-9]*[-_])?$"
)
_COUNTS_NAMES = (
    "at budget bytes char characters code column completion context count dimension dimensions errcode errno error "
    "got height id index input is len length limit line max maximum min n of offset output position prompt received "
    "requested seed size status step to token tokens total value version width"
)
_COUNTS: Final = frozenset(_COUNTS_NAMES.split())


def could_be_host(name: str, *, has_port: bool) -> bool:
    """Whether a dotted name may be a host. `has_port`: a number follows, after a colon."""
    labels = name.split(".")
    last = labels[-1]
    lower = last.lower()
    if len(last) < 2 or not last[0].isalpha() or name.lower() in _LIKE_HOSTS:
        return False
    if lower in _FILES:
        return has_port and labels[0] == lower
    if lower in _FILES_LIKE_SERVERS and len(labels) == 2:
        return has_port
    if all(label.lower() in _FIELDS or label.isdigit() for label in labels) and not has_port:
        return False
    if lower in _SERVERS:
        return True
    if has_port:
        return not _CLASS.fullmatch(last)
    return not _is_path(labels)


def is_a_name(text: str, before: str) -> bool:
    """Whether a long word is a name, and no secret: words joined by dashes, a class of many words, an id of an object
    that the caller holds. `before`: what stands in front of it."""
    if _HELD.search(before) or _HELD.match(text.partition("_")[0] + "_"):
        return True
    parts = re.split("[-_]", text)
    if len(parts) == 1:
        digits = sum(letter.isdigit() for letter in text)
        return text[0].isalpha() and digits <= 2 and sum(map(len, _WORDS.findall(text))) * 3 > 2 * len(text)
    return all(len(part) <= 14 and len(_RUN.findall(part)) <= (2 if len(part) <= 6 else 1) for part in parts) and (
        sum(part.isalpha() for part in parts) * 2 >= len(parts)
    )


def is_count(word: str) -> bool:
    """Whether the number behind `word:` counts something, and is no port."""
    return word.lower() in _COUNTS


def _is_path(labels: list[str]) -> bool:
    """A class with its module, or a path of fields: by a word that no host has, or by how it begins."""
    return (
        bool(_CLASS.fullmatch(labels[-1]))
        or any("_" in label or _CAMEL.fullmatch(label) for label in labels)
        or labels[0].lower() in _ROOTS
    )
