"""The vectors of claims' phrasings, kept on disk: the same thousands of texts are asked for at every start.

Never used for posts: what is deleted must be gone.
"""

import hashlib
import logging
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from classifier.encoder import Encoder
from classifier.heads import Floats

_log = logging.getLogger(__name__)
#: Texts that are kept, at most: those asked for last.
_MOST = 50_000


def remembered(encoder: Encoder, texts: Sequence[str]) -> Floats:
    """The encoder's vectors of these texts, in order; what was asked for before is read from its folder."""
    if not texts:  # a model that has learnt no claims yet reads no file for them
        return np.empty((0, encoder.dimensions), np.float32)
    file = encoder.home / f"phrasings-{encoder.variant}.npz"
    known = _read(file, encoder.dimensions)
    names = [hashlib.sha256(text.encode("utf-8", "replace")).digest()[:16] for text in texts]
    fresh = {name: text for name, text in zip(names, texts, strict=True) if name not in known}
    if fresh:
        known |= dict(zip(fresh, encoder.encode(list(fresh.values())), strict=True))
        asked = dict.fromkeys(names)
        order = [name for name in known if name not in asked] + list(asked)
        _write(file, {name: known[name] for name in order[-_MOST:]})
    found = np.empty((len(texts), encoder.dimensions), np.float32)
    for number, name in enumerate(names):
        found[number] = known[name]
    return found


def _read(file: Path, dimensions: int) -> dict[bytes, Floats]:
    """What is kept there; nothing where the file is missing or damaged."""
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as kept:
            names, vectors = kept["names"], kept["vectors"]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        _log.warning("%s is damaged: the claims' phrasings are read anew", file)
        return {}
    if names.dtype != np.uint8 or vectors.shape != (len(names), dimensions):
        return {}
    return {name.tobytes(): vector for name, vector in zip(names, vectors, strict=True)}


def _write(file: Path, known: dict[bytes, Floats]) -> None:
    """Whole or not at all; of two processes that write at once one wins. Without it the next start is slow, no more."""
    names = np.frombuffer(b"".join(known), np.uint8).reshape(len(known), -1)
    draft = None
    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as opened:
            draft = Path(opened.name)
            np.savez(opened, names=names, vectors=np.array(list(known.values()), np.float32))
        draft.replace(file)
    except OSError as error:
        _log.warning("%s: the vectors of phrasings cannot be kept (%s)", file, error.strerror)
        if draft is not None:
            draft.unlink(missing_ok=True)
