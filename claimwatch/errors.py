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


def advice_on(complaint: str) -> str:
    """What an operator should do about what a database complains of."""
    for sign, advice in _ADVICE.items():
        if sign in complaint:
            return advice
    return "see `claimwatch doctor`"


_ADVICE = {
    "full": "free some disk space and run it again; nothing acknowledged was lost",
    "locked": "another process is writing: try again",
    "malformed": "restore it from a backup",
    "not a database": "this is no file of claimwatch's: move it away or restore it from a backup",
    "readonly": "make the data folder writable",
    "unable to open": "make the data folder writable",
    "disk I/O": "check the disk (full, quota, unplugged), then run it again",
}
