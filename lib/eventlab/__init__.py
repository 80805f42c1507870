"""eventlab: a laboratory in notebooks for event sourcing and Kafka, on real brokers.

The rooms, each depending only on those above it: ``domain``, ``events``, ``crud``, ``store``, ``history``,
``cluster``, ``pitfalls``, ``inputs``, ``frames``, ``show``, ``course``, and the command in ``cli``.
"""
