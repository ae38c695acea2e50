"""The desk's secrets: ids of posts, pseudonyms of authors, sealed links."""

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from claimwatch.errors import ConfigError

#: Names of the secrets; each is read from CLAIMWATCH_<NAME>_KEY, else from the file CLAIMWATCH_<NAME>_KEY_FILE names.
NAMES = ("id", "seal", "session")
_LEAST = 32  #: characters, so that nobody sets "secret"


@dataclass(frozen=True, slots=True)
class Keys:
    """Secrets that never change for the life of a desk."""

    id: bytes
    seal: bytes
    session: bytes

    def __repr__(self) -> str:
        """Nothing that could reach a log."""
        return "Keys(...)"

    def post_id(self, platform: str, uri: str) -> str:
        """The id of a post: platform, ":", and 32 hex digits of HMAC-SHA256 over its canonical URI."""
        return f"{platform}:{_digest(self.id, platform, uri)}"

    def seal_link(self, url: str) -> str:
        """The link, encrypted and authenticated (AES-SIV: the same link seals to the same text)."""
        return urlsafe_b64encode(self._siv().encrypt(url.encode(), None)).decode()

    def open_link(self, sealed: str) -> str:
        """The sealed link in plain. Raises ConfigError where it was sealed with another key."""
        try:
            return self._siv().decrypt(urlsafe_b64decode(sealed), None).decode()
        except (InvalidTag, ValueError) as error:
            raise ConfigError("this link was sealed with another key: restore CLAIMWATCH_SEAL_KEY") from error

    def fingerprints(self) -> dict[str, str]:
        """What the ledger keeps to tell another key from this one: 16 hex digits each, useless for anything else."""
        pairs = {"id": self.id, "seal": self.seal}
        return {name: _digest(key, "fingerprint", name)[:16] for name, key in pairs.items()}

    def _siv(self) -> AESSIV:
        return AESSIV(hashlib.sha512(b"claimwatch seal" + self.seal).digest())


def author_key(quarter_key: bytes, platform: str, author: str) -> str:
    """The pseudonym of an account for one quarter; "" for an unknown author."""
    return _digest(quarter_key, platform, author) if author else ""


def load(environment: Mapping[str, str], folder: Path) -> Keys:
    """The keys from the environment, else from `folder`, where missing ones are made, readable by the owner alone."""
    return Keys(**{name: _read(name, environment, folder) for name in NAMES})


def _read(name: str, environment: Mapping[str, str], folder: Path) -> bytes:
    variable = f"CLAIMWATCH_{name.upper()}_KEY"
    if value := environment.get(variable):
        return _checked(value, variable)
    if given := environment.get(f"{variable}_FILE"):
        try:
            return _checked(Path(given).read_text(encoding="ascii").strip(), given)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{variable}_FILE: cannot read {given}: give the path of a readable file") from error
    return _made(folder / f"{name}.key")


def _checked(value: str, where: str) -> bytes:
    if len(value) < _LEAST:
        raise ConfigError(f"{where}: a key needs at least {_LEAST} characters; make one with: openssl rand -hex 32")
    return value.encode()


def _made(path: Path) -> bytes:
    """The key in a file of our own, made whole or not at all, by whichever process comes first."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            draft = path.with_name(f"{path.name}.{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_hex(32), encoding="ascii")
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return _checked(path.read_text(encoding="ascii").strip(), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot keep the desk's keys there ({error.strerror}): make it writable") from error


def _digest(key: bytes, *parts: str) -> str:
    message = "\x00".join(parts).encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:32]
