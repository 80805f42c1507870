"""A service seen from outside: a process that is started, killed and started again, and a view that stays."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pandas as pd

from eventlab.cluster import LabError, leash
from eventlab.cluster.processes import Process, wait_until_dead
from eventlab.services import program
from eventlab.services.program import Options, open_view
from eventlab.services.teams import TEAMS

_KILL_SECONDS = 10


class Service:
    """One service of a shop. It ends with this process, however that ends."""

    def __init__(self, options: Options, said: Path) -> None:
        self.options, self._said = options, said
        self._leash: subprocess.Popen[str] | None = None
        self._process: Process | None = None
        open_view(options).close()

    def start(self) -> None:
        """Start it; :meth:`ready` waits until it follows its topic."""
        self.kill()
        with self._said.open("w") as said:
            self._leash = leash.tie([sys.executable, "-P", program.__file__], stderr=said)
        assert self._leash.stdin
        self._leash.stdin.write(f"{msgspec.json.encode(self.options).decode()}\n")
        self._leash.stdin.flush()

    def ready(self) -> None:
        """Wait until it follows its topic. Raises LabError with what it said when it has ended before."""
        assert self._leash
        assert self._leash.stdout
        _, pid, ready = (self._leash.stdout.readline() for _ in range(3))  # first the leash's directory
        if not ready:
            raise LabError(f"The service {self.options.team} did not start. It said: {self.said or 'nothing'}")
        self._process = Process.of(int(pid))

    def kill(self) -> None:
        """``kill -9``, if it runs."""
        if self._process:
            self._process.kill()
            wait_until_dead([self._process], _KILL_SECONDS)
        if self._leash:
            leash.cut(self._leash)
            self._leash.wait(_KILL_SECONDS)
            assert self._leash.stdout
            self._leash.stdout.close()
        self._leash = self._process = None

    @property
    def state(self) -> str:
        """``running`` or ``dead``."""
        return self._process.state if self._process else "dead"

    @property
    def pid(self) -> int | None:
        """Its process id, while it runs."""
        return self._process.pid if self._process and self._process.alive else None

    @property
    def said(self) -> str:
        """The last line that it said when it stopped; empty while all is well, and after a kill."""
        lines = self._said.read_text().splitlines() if self._said.exists() else []
        return lines[-1] if lines else ""

    @property
    def handled(self) -> int:
        """How many records its view has seen, as the view itself says."""
        return int(self._ask("SELECT coalesce(sum(offset), 0) FROM checkpoint").iloc[0, 0])

    def answer(self) -> pd.DataFrame:
        """What it answers to those who ask: its view."""
        return self._ask(TEAMS[self.options.team].answer)

    def knows(self, order: str) -> bool:
        """Whether its answer has this order: of the order service only."""
        query = f'SELECT 1 FROM ({TEAMS[self.options.team].answer}) WHERE "order" = ?'  # noqa: S608 (our own query)
        with closing(self._view()) as view:
            return view.execute(query, [order]).fetchone() is not None

    def forget(self) -> None:
        """Throw the view away. Not while it runs."""
        for file in Path(self.options.view).parent.glob(f"{Path(self.options.view).name}*"):
            file.unlink()
        open_view(self.options).close()

    def _ask(self, query: str) -> pd.DataFrame:
        with closing(self._view()) as view:
            return pd.read_sql_query(query, view)

    def _view(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.options.view}?mode=ro", uri=True)
