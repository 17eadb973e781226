"""Pictures made from pictures: edits, and variations of one."""

from functools import partial
from typing import Final

from tollhouse.core.form import UploadedForm
from tollhouse.core.media_tokens import PICTURE_TOKENS
from tollhouse.core.model_request import InputBounds, ModelRequest
from tollhouse.core.multipart import read_form
from tollhouse.core.operation import Operation
from tollhouse.core.usage import Usage
from tollhouse.formats.openai.beside_text.forms import files_of, opened
from tollhouse.formats.openai.beside_text.images import read_settings
from tollhouse.formats.openai.beside_text.reading import text_of
from tollhouse.formats.openai.input_bounds import MEDIA_TOKENS

PICTURES_MAX: Final = 16


def read_edit(form: UploadedForm) -> ModelRequest:
    """Raises BadRequest and UnsupportedParameter."""
    request, present = opened("image_edits", form)
    files_of(form, "image", PICTURES_MAX, ("mask", "markup"))
    text_of(present, "prompt")
    read_settings(request, present)
    return request


def read_variation(form: UploadedForm) -> ModelRequest:
    """Raises BadRequest and UnsupportedParameter."""
    request, present = opened("image_variations", form)
    files_of(form, "image", 1)
    read_settings(request, present)
    request.stream = False
    return request


def read(operation: Operation, body: bytes) -> ModelRequest:
    """Of a form in memory."""
    request = (read_edit if operation == "image_edits" else read_variation)(read_form(body))
    request.length = len(body)
    return request


def input_bounds(request: ModelRequest) -> InputBounds:
    """Each picture counts for what the dearest may."""
    assert request.form is not None
    count = len(request.form.files)
    return InputBounds(
        request.form.size(),
        parts=count,
        media=count * MEDIA_TOKENS,
        has_remote_input=request.reads_more,
        image_tokens=count * PICTURE_TOKENS,
        units=Usage(requests=1, images=request.choices),
    )


read_edits = partial(read, "image_edits")
read_variations = partial(read, "image_variations")
