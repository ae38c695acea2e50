"""zstd, as the stream uses it: each message one frame, packed with the server's dictionary."""

import sys

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["PackingError", "Unpacker", "zstd"]

#: Bytes that one message may unpack to.
LARGEST = 4 * 1024 * 1024


class PackingError(ValueError):
    """A dictionary or a message that cannot be used."""


class Unpacker:
    """Unpacks messages with one dictionary. Raises PackingError where its bytes are none."""

    def __init__(self, dictionary: bytes) -> None:
        try:
            self._dictionary = zstd.ZstdDict(dictionary)
        except (ValueError, zstd.ZstdError) as error:
            raise PackingError("the server's dictionary cannot be read") from error
        self.id: int = self._dictionary.dict_id

    def unpack(self, message: bytes) -> bytes:
        """The message in plain; PackingError where it is damaged or would unpack to more than `LARGEST`."""
        unpacker = zstd.ZstdDecompressor(self._dictionary)
        try:
            plain = unpacker.decompress(message, max_length=LARGEST)
        except zstd.ZstdError as error:
            raise PackingError("a message cannot be unpacked") from error
        if not unpacker.eof:
            raise PackingError("a message is broken off or too large")
        return plain
