"""Tells the queue how jobs ended, however long its database is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import psycopg
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from jobs.shared.pace import Backoff

_log = logging.getLogger(__name__)


class PatientManager(JobManager):
    """procrastinate's manager, which does not give a job up because its end could not be written at once."""

    def __init__(self, connector: BaseConnector, ended: Callable[[], bool]) -> None:
        super().__init__(connector)
        self._ended = ended

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Note how a job ended."""
        await self._told(job, lambda: JobManager.finish_job(self, job, status, delete_job))

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a job back; where the same one waits already, that one stands for both."""
        try:
            await self._told(job, lambda: JobManager.retry_job(self, job, retry_at, priority, queue, lock))
        except UniqueViolation:
            await self.finish_job(job, Status.ABORTED, delete_job=False)

    async def _told(self, job: Job, tell: Callable[[], Awaitable[None]]) -> None:
        failures = 0
        while True:
            try:
                return await tell()
            except ConnectorException as error:
                if isinstance(error.__cause__, psycopg.errors.RaiseException):
                    _log.info("job %s %s had ended already, or another worker has it", job.id, job.task_name)
                    return None
                if not is_lost(error) or self._ended():
                    raise
            await asyncio.sleep(Backoff().after(failures))
            failures += 1


def is_lost(error: BaseException) -> bool:
    """Whether the database was not there, rather than refused something."""
    cause = error.__cause__ if isinstance(error, ConnectorException) else error
    return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
