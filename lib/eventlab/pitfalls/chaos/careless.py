"""How a consumer is that many have: its group commits by itself, by the clock, whatever has been handled by then."""

CONSUMER = {
    "auto.offset.reset": "earliest",
    "auto.commit.interval.ms": 30_000,  # not the default's 5 s: whoever is killed has surely done something since
    "group.instance.id": "reader",  # the same after a restart: it has its partitions back at once
    "session.timeout.ms": 10_000,  # as the library's; 45 s by default
    "log_level": 0,
}
