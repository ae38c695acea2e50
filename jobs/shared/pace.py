"""How fast workers look for work, and how soon one of them counts as dead."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds, all of them. A dead worker's jobs go to others after about `dead` and `look` together."""

    poll: float = 2.0  #: between looks for a job while there is none
    beat: float = 5.0  #: between signs of life
    dead: float = 30.0  #: without a sign of life until a worker's jobs are given to others
    look: float = 5.0  #: between tries to become the scheduler, and between its looks for lost jobs
    grace: float = 25.0  #: that jobs get to reach the end of a page before the worker ends without them


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double up to a longest one."""

    first: float = 0.5
    longest: float = 15.0

    def after(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        return float(min(self.longest, self.first * 2 ** min(failures, 16)))
