"""Members of a group in processes of their own, which stand still wherever somebody may want to strike."""

from typing import Any, Literal

from confluent_kafka import Producer
from sqlalchemy import event
from tests.views.shop import carts

from eventlab.cluster import Kafka
from eventlab.pitfalls.actors import Tell
from eventlab.topics import Database, Output, Pipeline, Record, TopicProjector, pipeline
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


PIPELINE_STEPS = ("fetched", "begun", "written", "about to commit", "committed")


def copy(tell: Tell, config: dict[str, Any], source: str, target: str, name: str, member: str | None = None) -> None:
    """Copy a topic for ever, a record for a record; stands at each of PIPELINE_STEPS."""

    class Telling(Producer):  # type: ignore[misc]
        def begin_transaction(self) -> None:
            tell("fetched")
            super().begin_transaction()
            tell("begun")

        def send_offsets_to_transaction(self, *arguments: Any) -> None:
            self.flush()
            tell("written")
            super().send_offsets_to_transaction(*arguments)

        def commit_transaction(self, *arguments: Any) -> None:
            tell("about to commit")
            super().commit_transaction(*arguments)
            tell("committed")

    pipeline.Producer = Telling
    Pipeline(Kafka(config, None), source, name, copied(target), member=member).run()


def copied(target: str) -> Any:
    """What makes of a record the same one in ``target``."""

    def process(record: Record) -> list[Output]:
        return [Output(target, record.key, record.value, dict(record.headers))]

    return process
