"""The model for the check page: opened when the first visitor asks, kept for the next until another is promoted."""

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from claimwatch.desk import Desk
from claimwatch.ledger import claims
from claimwatch.settings import Places
from claimwatch.text.normalise import tidy
from claimwatch.text.scrub import scrub
from jobs.assess import ready_model, served_folder

if TYPE_CHECKING:
    from classifier.model import Opinion
    from classifier.serving import HeadModel


class LazyModel:
    """Judges one short text at a time against the ledger's claims of that moment."""

    def __init__(self, desk: Desk, where: Places) -> None:
        self._desk, self._where = desk, where
        self._lock = Lock()
        self._model: HeadModel | None = None
        self._opened: Path | None = None

    def __call__(self, text: str, language: str) -> "Opinion":
        """The opinion of a text; nothing of it is kept."""
        del language
        with self._lock:
            model = self._newest()
            with self._desk.ledger.read() as db:
                active = claims.every(db, "active")
            model.learn_claims(active)
            return model.judge([scrub(tidy(text))])[0]

    def _newest(self) -> "HeadModel":
        folder = served_folder(self._where)
        if self._model is None or folder != self._opened:
            self._model, self._opened = ready_model(self._where, self._desk.settings, folder=folder), folder
        return self._model
