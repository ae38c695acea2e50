"""A way to a server that can be cut and frozen, so that the server itself goes on for others."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit


class Forwarder:
    """Listens on loopback and passes bytes both ways; `cut` and `freeze` until `heal`."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._flowing, self._pairs = threading.Event(), list[socket.socket]()
        self._is_cut = False
        self._flowing.set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The server's address by this way."""
        user = f"{self._parts.username}@" if self._parts.username else ""
        return urlunsplit(self._parts._replace(netloc=f"{user}127.0.0.1:{self._listening.getsockname()[1]}"))

    def cut(self) -> None:
        """End every connection, and each new one at once."""
        self._is_cut = True
        for end in self._pairs:
            _close(end)
        self._pairs.clear()

    def freeze(self) -> None:
        """Accept and pass nothing on, as a server that was stopped."""
        self._flowing.clear()

    def heal(self) -> None:
        """All as before."""
        self._is_cut = False
        self._flowing.set()

    def close(self) -> None:
        """Stop listening."""
        self.heal()
        _close(self._listening)
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            if self._is_cut:
                _close(near)
                continue
            far = socket.create_connection((self._parts.hostname or "", self._parts.port or 0))
            self._pairs += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=[one, other], daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65_536):
                self._flowing.wait()
                other.sendall(data)
        except OSError:
            pass
        _close(other)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
