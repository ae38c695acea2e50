"""A worker of the demo's crew, in a process of its own: `python -m jobs.demo.worker '{"now": ..., ...}'`."""

import json
import logging
import signal
import sys
import threading
from datetime import datetime

from claimwatch.clock import FixedClock
from claimwatch.settings import Places, Settings
from jobs.demo.desk import open_demo_desk
from jobs.shared.pace import Pace
from jobs.shared.schema import connection_to
from jobs.shared.worker import SharedWorker
from jobs.work import Work


def main(told: str) -> None:
    """Take jobs until told to end, at the instant that the demo plays."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    given = json.loads(told)
    settings = Settings(**given["settings"])
    desk = open_demo_desk(settings, FixedClock(datetime.fromisoformat(given["now"])))
    try:
        work = Work(desk, Places(**given["where"]))
        SharedWorker(work, connection_to(settings.stores.ledger, ""), pace=Pace(poll=0.2)).run(stop)
    finally:
        desk.close()


if __name__ == "__main__":
    main(sys.argv[1])
