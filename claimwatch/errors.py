"""The errors that an operator meets. Each says what follows from it."""


class ClaimwatchError(Exception):
    """Something an operator can mend. The message is one line that says what to do."""


class ConfigError(ClaimwatchError):
    """The configuration or the command's input is refused, whole. Nothing was changed."""


class SourceError(ClaimwatchError):
    """One source could not be read. The other sources go on."""

    def __init__(self, source: str, reason: str, *, permanent: bool) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason
        #: True: nobody but an operator can mend it; False: the next scheduled crawl tries again.
        self.permanent = permanent


class StoreError(ClaimwatchError):
    """A store cannot be read or written (full disk, locked, damaged). What was acknowledged is kept."""
