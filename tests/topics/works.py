"""Members of a group in processes of their own, which stand still wherever somebody may want to strike."""

from typing import Any, Literal

from sqlalchemy import event
from tests.views.shop import carts

from eventlab.cluster import Kafka
from eventlab.pitfalls.actors import Tell
from eventlab.topics import Database, TopicProjector
from eventlab.topics.sink import Sink

STEPS = ("taking", "took", "read", "about to commit", "committed")


def serve(
    tell: Tell,
    config: dict[str, Any],
    topic: str,
    url: str,
    group: str,
    member: str | None = None,
    protocol: Literal["classic", "consumer"] = "classic",
    session_ms: int | None = None,
) -> None:
    """Keep the view of carts up to date for ever; stands at each of STEPS."""
    home = Database(url)
    over = {} if session_ms is None else {"session.timeout.ms": session_ms}
    projector = TopicProjector(
        Kafka({**config, **over}, None), topic, home, carts, group=group, member=member, protocol=protocol
    )
    take, apply = Sink.take, Sink.apply

    def telling_take(sink: Sink, partitions: Any) -> Any:
        tell("taking")
        taken = take(sink, partitions)
        tell("took", partitions=[share.partition for share in taken])
        return taken

    def telling_apply(sink: Sink, share: Any, records: Any, end: int) -> None:
        tell("read", partition=share.partition, records=len(records))
        event.listen(home.engine, "commit", lambda _: tell("about to commit"), once=True)
        apply(sink, share, records, end)
        tell("committed", partition=share.partition, position=share.position)

    Sink.take, Sink.apply = telling_take, telling_apply  # type: ignore[method-assign]
    projector.run()
