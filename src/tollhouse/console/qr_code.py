"""A text as a QR code: the path of an SVG picture, for a page that loads no image."""

from typing import Final, NamedTuple

QUIET: Final = 4
"""Modules of white around it, as the standard (ISO/IEC 18004) asks for."""


class QrCode(NamedTuple):
    """side: modules, with the white around. path: the black modules as `d` of an SVG path, one unit each."""

    side: int
    path: str


def qr_code(text: str) -> QrCode:
    """text: at most 2,000 bytes."""
    import segno  # a few people a year need it

    matrix = segno.make_qr(text, error="m").matrix
    runs = []
    for y, row in enumerate(matrix, QUIET):
        start = None
        for x, module in enumerate((*row, 0)):
            if module and start is None:
                start = x
            elif not module and start is not None:
                runs.append(f"M{start + QUIET} {y}h{x - start}v1h-{x - start}z")
                start = None
    return QrCode(len(matrix) + 2 * QUIET, "".join(runs))
