"""What is still known of accounts when the topic with their events has forgotten most of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from eventlab.domain.account import Account
from eventlab.events.envelope import StreamId


@dataclass(frozen=True)
class Remembered:
    """What accounts amount to after all that was ``written``, by what is ``left`` in the topic, and as ``told``.

    Told by a snapshot and what came behind it. ``events`` is how many each account had, of which ``events_left`` are
    in the topic.
    """

    written: Mapping[StreamId, Account]
    left: Mapping[StreamId, Account]
    told: Mapping[StreamId, Account]
    events: Mapping[StreamId, int]
    events_left: Mapping[StreamId, int]

    @property
    def wrong(self) -> list[StreamId]:
        """The accounts that are not what they were."""
        return [stream for stream, account in self.written.items() if self.told.get(stream) != account]

    def table(self) -> pd.DataFrame:
        """A row per account: how many events it had and has, and its balance, in words, by each of the three."""
        return pd.DataFrame(
            {
                "account": [str(stream) for stream in self.written],
                "events": [self.events[stream] for stream in self.written],
                "left": [self.events_left[stream] for stream in self.written],
                "balance": [str(account.balance) for account in self.written.values()],
                "by the topic": [_said(self.left.get(stream)) for stream in self.written],
                "by snapshot and topic": [_said(self.told.get(stream)) for stream in self.written],
            }
        )


def _said(account: Account | None) -> str:
    return "" if account is None else str(account.balance)
