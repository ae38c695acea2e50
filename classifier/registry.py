"""The models of one installation: which there are, which one is served, and the way back to the one before."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from claimwatch.errors import ConfigError, StoreError
from classifier.heads import load_heads
from classifier.serving import SHIPPED, shipped_folder

_POINTER = "serving.json"
#: Models that `rollback` can still lead to, newest last.
_REMEMBERED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One model that can be served."""

    name: str
    folder: Path
    shipped: bool
    serving: bool
    card: Mapping[str, Any]  #: version, thresholds, calibration, data


class Registry:
    """The models in a data folder beside those that came with claimwatch.

    Nothing is ever overwritten: another model needs another name. What is served stands in one small file, replaced
    whole, which running processes read again before each piece of work.
    """

    def __init__(self, data: Path) -> None:
        self.folder = data / "models"

    def serving(self) -> Path:
        """The folder of the model to serve: the one promoted last, else the newest shipped."""
        name = self._pointer()["serving"]
        return self.find(name).folder if name else shipped_folder()

    def entries(self) -> list[Entry]:
        """Every model, the shipped ones first, each with its card."""
        served = self.serving()
        found = [*_models(SHIPPED, shipped=True), *_models(self.folder, shipped=False)]
        return [replace(one, serving=one.folder == served) for one in found]

    def find(self, name: str) -> Entry:
        """The model of that name. ConfigError names those that there are."""
        known = {one.name: one for one in [*_models(SHIPPED, shipped=True), *_models(self.folder, shipped=False)]}
        if name not in known:
            raise ConfigError(
                f"there is no model {name!r} in {self.folder}: put it back or run `claimwatch model rollback`; "
                f"known: {', '.join(known)}"
            )
        return known[name]

    def adopt(self, given: Path) -> Entry:
        """The model of a folder, copied into the registry under the folder's name unless it is there already."""
        load_heads(given)
        inside = {one.folder.resolve(): one for one in self.entries()}
        if given.resolve() in inside:
            return inside[given.resolve()]
        target = self.folder / given.resolve().name
        if target.exists() or (SHIPPED / target.name).exists():
            raise ConfigError(f"a model {target.name!r} is already kept: give the folder another name")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".adopting-", dir=self.folder))
            shutil.copytree(given, draft, dirs_exist_ok=True)
            draft.replace(target)
        except OSError as error:
            raise StoreError(
                f"{self.folder}: cannot be written ({error.strerror}): free space or mend rights"
            ) from error
        return self.find(target.name)

    def serve(self, name: str) -> None:
        """Serve this model from now on; `rollback` leads back to the present one."""
        before = self._pointer()
        present = self.serving().name
        path = [*before["before"], present][-_REMEMBERED:] if present != name else before["before"]
        self._point({"serving": self.find(name).name, "before": path})

    def rollback(self) -> str:
        """Serve again what was served before the last promotion; its name. ConfigError where there is nothing."""
        pointer = self._pointer()
        if not pointer["before"]:
            raise ConfigError("no model was promoted here, so there is nothing to go back to")
        name = pointer["before"][-1]
        self._point({"serving": self.find(name).name, "before": pointer["before"][:-1]})
        return str(name)

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(f"{self.folder}: cannot be written ({error.strerror}): free space or mend its rights")

    def _pointer(self) -> dict[str, Any]:
        file = self.folder / _POINTER
        if not file.exists():
            return {"serving": "", "before": []}
        try:
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return {"serving": str(found["serving"]), "before": [str(name) for name in found["before"]]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{file}: cannot be read: delete it to serve the shipped model again") from error

    def _point(self, pointer: Mapping[str, Any]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=f".{_POINTER}.", dir=self.folder)
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                json.dump(pointer, out)
                out.flush()
                os.fsync(out.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(self.folder / _POINTER)
        except OSError as error:
            raise StoreError(
                f"{self.folder}: cannot be written ({error.strerror}): free space or mend rights"
            ) from error


def _models(folder: Path, *, shipped: bool) -> list[Entry]:
    """The models of a folder by name; whatever cannot be opened is not one."""
    found = []
    for file in sorted(folder.glob("[!.]*/model.json")):
        try:
            card = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        found.append(Entry(name=file.parent.name, folder=file.parent, shipped=shipped, serving=False, card=card))
    return found
