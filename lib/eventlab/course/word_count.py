"""The word count of lesson 12 seen from outside: started, killed, started again, and compared with the topic."""

import inspect
import weakref
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from eventlab import show
from eventlab.cluster import Kafka
from eventlab.course import groups, searches
from eventlab.course.card import Card
from eventlab.pitfalls.actors import Actor
from eventlab.services.word_count import WAYS, Words, open_database, words, work
from eventlab.show.charts import Figure

_KILLED_IN_BATCH = 3


class WordCount:
    """The program in a process of its own, and the database that it has. Both end with this process.

    ``way``: a name in ``WAYS``. Raises ValueError for another one.
    """

    def __init__(self, kafka: Kafka, topic: str, way: str) -> None:
        if way not in WAYS:
            raise ValueError(f"there is no way {way!r} to keep counts; there are: {', '.join(WAYS)}")
        self._kafka, self._topic, self.way = kafka, topic, way
        self.group = kafka.group("word-count")
        folder = TemporaryDirectory(prefix="eventlab-words-")
        self._path = str(Path(folder.name) / "counts.db")
        options = {"topic": topic, "group": self.group, "path": self._path, "way": way}
        self._actor = Actor(work, config=kafka.config(), **options).__enter__()
        self.close = weakref.finalize(self, _close, self._actor, folder)

    def until(self, batch: int = _KILLED_IN_BATCH) -> None:
        """Let it work into this batch, counted from now on; there it stands, between its two writes."""
        self._actor.until("between", batch)

    def kill(self) -> None:
        """``kill -9``."""
        self._actor.kill()

    def restart(self) -> None:
        """Start it again, if need be kill it first: it goes on where its way lets it."""
        self._actor.restart()

    def finish(self) -> "Outcome":
        """Let it work until nothing is left to read, and compare what it says with the topic."""
        counts = self._actor.until("done").what["counts"]
        self._actor.finish()
        return Outcome(counts, words(searches.read(self._kafka, self._topic)["label"]))

    def lag(self) -> pd.DataFrame:
        """How far its group is, as Kafka knows it."""
        return groups.lag(self._kafka, self._topic, self.group)

    def kept(self) -> pd.DataFrame:
        """The counts in its table: a row per word, the most frequent first."""
        with closing(open_database(self._path)) as database:
            rows = database.execute("SELECT word, times FROM counts ORDER BY times DESC, word").fetchall()
        return pd.DataFrame(rows, columns=["word", "times"])


def _close(actor: Actor, folder: "TemporaryDirectory[str]") -> None:
    actor.__exit__()
    folder.cleanup()


@dataclass(frozen=True)
class Outcome:
    """What the program says in the end, and what a reader counts that reads the topic afresh."""

    says: Words
    truth: Words

    @property
    def words(self) -> int:
        """How many words were searched for."""
        return sum(self.truth.values())

    @property
    def lost(self) -> int:
        """How many words were not counted."""
        return sum(max(times - self.says.get(word, 0), 0) for word, times in self.truth.items())

    @property
    def twice(self) -> int:
        """How many words were counted once more than they should."""
        return sum(max(times - self.truth.get(word, 0), 0) for word, times in self.says.items())

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row per word, the most frequent first."""
        truth = pd.Series(self.truth, name="in the topic").sort_values(ascending=False, kind="stable")
        says = pd.Series(self.says, name="counted", dtype=int).reindex(truth.index, fill_value=0)
        return pd.concat([truth, says, (says - truth).rename("difference")], axis=1).rename_axis("word").reset_index()

    def __repr__(self) -> str:
        return f"{self.lost:,} of {self.words:,} words lost, {self.twice:,} counted twice"


def source(way: str) -> Card:
    """How the program keeps what it has done, as it is written. ``desk.between()`` is where it gets killed."""
    return Card(f"```python\n{inspect.getsource(WAYS[way]).strip()}\n```")


def killed(kafka: Kafka, topic: str, way: str) -> Outcome:
    """Let the program count this ``way``, kill it in its third batch between its two writes, and start it again."""
    counter = WordCount(kafka, topic, way)
    try:
        counter.until()
        counter.kill()
        counter.restart()
        return counter.finish()
    finally:
        counter.close()


def chart(outcomes: Mapping[str, Outcome]) -> Figure:
    """What each way lost and what it counted twice."""
    table = pd.DataFrame(
        [(way, outcome.lost, outcome.twice) for way, outcome in outcomes.items()],
        columns=["way", "lost", "counted twice"],
    )
    table = table.assign(**{"too many or too few": table["counted twice"] - table["lost"]})
    told = "; ".join(f"{way}: {outcome}" for way, outcome in outcomes.items())
    alt = f"A bar per way to keep counts: words counted too often (up) or lost (down) after a kill. {told}."
    return show.bars(table, "way", "too many or too few", alt)
