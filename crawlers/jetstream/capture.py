"""The events of a saved capture, whatever it was saved as: JSON lines, an array, or zstd frames."""

import io
import json
from collections.abc import Iterator
from typing import Any

from crawlers.jetstream.packing import zstd

_ZSTD = b"\x28\xb5\x2f\xfd"
#: Bytes that one capture may unpack to.
_LARGEST = 512 * 1024 * 1024
_DECODER = json.JSONDecoder()


class CaptureError(ValueError):
    """The capture cannot be opened. The message is a problem as a page carries it."""


def opened(body: bytes) -> bytes:
    """The capture unpacked, where it is packed. Raises CaptureError."""
    if not body.startswith(_ZSTD):
        return body
    try:
        whole = zstd.ZstdFile(io.BytesIO(body)).read(_LARGEST + 1)
    except EOFError as error:
        raise CaptureError("zstd_unreadable: the capture ends within a frame; save it anew") from error
    except (zstd.ZstdError, MemoryError) as error:
        message = "zstd_unreadable: the frames are damaged or need the server's dictionary; save them unpacked"
        raise CaptureError(message) from error
    if len(whole) > _LARGEST:
        raise CaptureError("too_large: the capture unpacks to more than 512 MB; cut it into parts")
    return whole


def events_in(body: bytes) -> Iterator[Any]:
    """Each event, parsed; None for a line that is no JSON. Frames need no line ends between them."""
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if body.startswith(b"["):
        whole = list(_values_in(body.decode("utf-8", "replace")))
        if None not in whole:
            yield from whole
            return
    for line in body.split(b"\n"):
        text = line.decode("utf-8", "replace").strip()
        if text:
            yield from _values_in(text)


def _values_in(line: str) -> Iterator[Any]:
    at = 0
    while at < len(line):
        try:
            value, end = _value_at(line, at)
        except (ValueError, RecursionError):
            yield None
            return
        yield from (value if isinstance(value, list) else [value])
        at = end
        while at < len(line) and line[at] in " \t\r\n,\x00\x1e":
            at += 1


def _value_at(line: str, at: int) -> tuple[Any, int]:
    value, end = _DECODER.raw_decode(line, at)
    if "\\ud" in line[at:end].lower():
        # A lone surrogate escape is legal JSON and no legal text: no store can write it.
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value, end
