"""How fast groups go: a look at each, compared with an earlier one."""

import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

from eventlab.cluster.errors import LabError
from eventlab.cluster.groups.asking import Groups
from eventlab.cluster.groups.model import Group
from eventlab.cluster.kafka import Kafka
from eventlab.cluster.pace import Look, Pace

_KEPT_SECONDS = 15.0  # three commits of a consumer that commits by itself, which is every five seconds


class Paces:
    """The paces of groups that are looked at again and again: each over the last quarter of a minute."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[Group]] = defaultdict(deque)

    def see(self, groups: Iterable[Group]) -> Mapping[str, Pace]:
        """The pace of each group that was looked at before."""
        return {group.name: pace for group in groups if (pace := self._see(group)) is not None}

    def _see(self, group: Group) -> Pace | None:
        seen = self._seen[group.name]
        seen.append(group)
        while len(seen) > 1 and seen[1].at < group.at - _KEPT_SECONDS:
            seen.popleft()
        return pace(seen[0], group)


def pace(before: Group, after: Group) -> Pace | None:
    """What two looks at a group show. None when they are one, or its lag was not known at one of them."""
    if before.lag is None or after.lag is None or before.at == after.at:
        return None
    return Pace.between(Look(before.at, before.lag, before.done), Look(after.at, after.lag, after.done))


def keeping_up(kafka: Kafka, group: str, *, seconds: float = 10.0) -> Pace:
    """Whether ``group`` keeps up, from two looks that are ``seconds`` apart: ``.keeps_up()``, ``.lag``, ``.there_in``.

    Raises LabError for a group that there is not, or whose lag cannot be told.
    """
    groups = Groups(kafka)
    try:
        [before] = groups.look([group])
        time.sleep(seconds)
        [after] = groups.look([group])
    finally:
        groups.close()
    found = pace(before, after)
    if found is None:
        why = next(each.trouble for look in (before, after) for each in look.progress if each.trouble)
        raise LabError(f"How far the group {group} is behind cannot be told: {why}.")
    return found
