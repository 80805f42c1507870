"""Views of a topic, and programs from topic to topic, in the configuration that the pitfalls teach.

``docs/decisions/kafka-defaults.md`` says which default is there for which pitfall, ``docs/decisions/topics.md`` how a
view and its topic stay together.
"""

from eventlab.store.database import Database
from eventlab.store.kafka_records import Record
from eventlab.topics.errors import Fenced, OutOfPlace, RecordFailed, RecordsLost
from eventlab.topics.parking import Parked, parked, retry_parked
from eventlab.topics.pipeline import Output, Pipeline
from eventlab.topics.progress import Lag, keeping_up, lag, wait_until
from eventlab.topics.projector import TopicProjector
from eventlab.topics.reading import Read, log_events
from eventlab.topics.rebuild import drop, rebuild, switch

__all__ = [
    "Database",
    "Fenced",
    "Lag",
    "OutOfPlace",
    "Output",
    "Parked",
    "Pipeline",
    "Read",
    "Record",
    "RecordFailed",
    "RecordsLost",
    "TopicProjector",
    "drop",
    "keeping_up",
    "lag",
    "log_events",
    "parked",
    "rebuild",
    "retry_parked",
    "switch",
    "wait_until",
]
