"""Small help with confluent-kafka's clients that everything else here uses."""

import time
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

# A local broker answers in milliseconds; the client's defaults back off to ten seconds while a broker starts.
_IMPATIENT = {"reconnect.backoff.ms": 10, "reconnect.backoff.max.ms": 200}
_ADMIN_SECONDS = 30


def admin(config: Mapping[str, Any]) -> Any:
    """An AdminClient that keeps its complaints about brokers which are still starting to itself."""
    from confluent_kafka.admin import AdminClient

    return AdminClient({**_IMPATIENT, "log_level": 0, **config})


def await_futures(futures: Mapping[Any, "Future[Any]"], seconds: float = _ADMIN_SECONDS) -> None:
    """Wait until all admin operations are done; raises the first KafkaException, or TimeoutError."""
    end = time.monotonic() + seconds
    for future in futures.values():
        future.result(max(0, end - time.monotonic()))
