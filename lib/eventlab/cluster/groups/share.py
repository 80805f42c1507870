"""Share groups, of which librdkafka's admin client knows nothing: asked through Kafka's own, in a JVM."""

from collections.abc import Iterable, Mapping
from typing import Any

import jpype

from eventlab.cluster import jvm
from eventlab.cluster.errors import LabError
from eventlab.cluster.groups.model import Member, Stand

STATE_TOPIC = "__share_group_state"
"""Where brokers keep what share groups have done; it comes to be with the first of them."""

_PATIENCE_SECONDS = 10
_ADMIN = "org.apache.kafka.clients.admin"


class ShareGroups:
    """The share groups of a cluster. Raises LabError when it does not answer."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._admin = jvm.admin(config)

    def states(self) -> dict[str, str]:
        """Those that there are and may be seen, and the state of each."""
        every = self._answer(self._admin.listGroups().all())
        kind = jpype.JClass("org.apache.kafka.common.GroupType").SHARE
        return {
            str(each.groupId()): str(each.groupState().orElse("unknown")).lower()
            for each in every
            if each.type().orElse(None) == kind
        }

    def members(self, names: Iterable[str]) -> dict[str, tuple[Member, ...]]:
        """Who is in each. Its members may share a partition."""
        told = self._answer(self._admin.describeShareGroups(jpype.java.util.ArrayList(list(names))).all())
        return {str(name): tuple(map(_member, group.members())) for name, group in told.items()}

    def offsets(self, names: Iterable[str]) -> dict[str, dict[tuple[str, int], Stand]]:
        """For each its partitions, and how far it is there."""
        whole = jpype.JClass(f"{_ADMIN}.ListShareGroupOffsetsSpec")()
        asked = jpype.java.util.HashMap(dict.fromkeys(names, whole))
        told = self._admin.listShareGroupOffsets(asked)
        return {
            str(name): {
                _place(where): _stand(info) for where, info in self._answer(told.partitionsToOffsetInfo(name)).items()
            }
            for name in asked
        }

    def _answer(self, future: Any) -> Any:
        try:
            return future.get(_PATIENCE_SECONDS, jpype.java.util.concurrent.TimeUnit.SECONDS)
        except jpype.java.util.concurrent.TimeoutException as error:
            raise LabError(
                f"The brokers said nothing about share groups within {_PATIENCE_SECONDS} s; do all of them run?"
            ) from error
        except jpype.JException as error:
            raise LabError(
                f"The brokers do not say what their share groups do: {error.getMessage() or error}. Do they run Kafka "
                "4.1 or later, and may you describe groups?"
            ) from error

    def close(self) -> None:
        """Close its connections."""
        self._admin.close(jvm.duration(0))


def _member(told: Any) -> Member:
    places = sorted(map(_place, told.assignment().topicPartitions()))
    return Member(str(told.clientId()), str(told.host()).lstrip("/"), tuple(places))


def _stand(told: Any) -> Stand:
    if told is None:  # it has not begun there
        return Stand()
    return Stand(int(told.startOffset()), int(told.lag().get()) if told.lag().isPresent() else None)


def _place(where: Any) -> tuple[str, int]:
    return str(where.topic()), int(where.partition())
