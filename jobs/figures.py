"""A worker's own small port for Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from claimwatch.desk import Desk
from claimwatch.errors import ConfigError
from claimwatch.pulse import Pulse, registry_of


@contextmanager
def figures_served(desk: Desk) -> Iterator[None]:
    """Answer `/metrics` while this lasts, where `worker.metrics_port` is set; ConfigError where it is taken."""
    chosen = desk.settings.worker
    if not chosen.metrics_port:
        yield
        return
    where = f"{chosen.metrics_host}:{chosen.metrics_port}"
    try:
        server, thread = start_http_server(chosen.metrics_port, chosen.metrics_host, registry_of(Pulse(desk)))
    except OSError as error:
        advice = "give each worker of a machine its own worker.metrics_port"
        raise ConfigError(f"cannot listen on {where} ({error.strerror}): {advice}") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
