"""Chaos for the project's own Kafka code: three brokers under full load, struck by a plan of faults.

``cured`` is the library as it is, with :mod:`eventlab.settings`: :class:`~eventlab.store.KafkaEventLog`, half of whose
writers have a name and write again what turns out not to be there, a view by :class:`~eventlab.topics.TopicProjector`,
and copies in another topic by :class:`~eventlab.topics.Pipeline`. ``broken`` is what many have: ``acks=1``, no
idempotence, several requests in flight, reports that nobody reads, groups that commit by themselves.
Every checker judges both: what is in the log, what the view applied, and what was copied.
"""

import math
from collections.abc import Mapping
from itertools import islice

from eventlab.cluster import Kafka
from eventlab.pitfalls.chaos.arm import Configuration, Outcome, Progress, Strike, run
from eventlab.pitfalls.chaos.plan import Fault, plan

__all__ = ["Configuration", "Fault", "Outcome", "Strike", "chaos", "plan", "run"]


def chaos(
    kafka: Kafka,
    *,
    seed: int,
    seconds: float = math.inf,
    faults: int | None = None,
    progress: Progress = lambda _: None,
) -> Mapping[Configuration, Outcome]:
    """Both configurations under the faults of ``seed``: those that begin within ``seconds``, so many at most.

    Both suffer the same ones. Give at least one limit.
    Raises LabError when the cluster does not recover, NeedsEmbeddedLab where its brokers are not the lab's.
    """
    first = islice(plan(seed), faults)
    cured = run(kafka, "cured", first, seed=seed, seconds=seconds, progress=progress)
    same = [strike.fault for strike in cured.strikes]
    broken = run(kafka, "broken", same, seed=seed, seconds=math.inf, progress=progress)
    return {"cured": cured, "broken": broken}
