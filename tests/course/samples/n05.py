"""What lesson 05's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab import history
from eventlab.course import two_times
from eventlab.course.two_times import ANA, Bank
from eventlab.domain import account


def context(request):
    return {
        "bank": Bank(),
        "ides": "2026-03-15T20:00+00:00",
        "history": history,
        "two_times": two_times,
        "account": account,
        "ANA": ANA,
    }


def wrong(values):
    select = "SELECT balance_minor FROM bitemporal_balances WHERE "
    valid = "valid_from <= :time AND :time < valid_to"
    believed = "recorded_from <= :known_at AND :known_at < recorded_to"
    return {
        "a": [1, 2, 3, 5, 13, 14, len(values["bank"].events), "4 balances", True],
        "b": [
            f"{select}{valid}",
            f"{select}{valid} AND recorded_to > '9999-01-01'",
            f"{select}{valid} AND recorded_from <= :known_at",
            f"{select}{valid} AND recorded_from < :known_at AND :known_at <= recorded_to",
            f"{select}valid_from < :time AND :time <= valid_to AND {believed}",
            f"{select}valid_from <= :time AND :time <= valid_to AND {believed}",
            f"{select}{valid} AND recorded_from <= :known_at ORDER BY recorded_from LIMIT 1",
            f"{select}{believed} AND valid_to > '9999-01-01'",
            "SELECT sum(balance_minor) FROM bitemporal_balances WHERE recorded_from <= :known_at",
            "SELECT * FROM balances",
            "DELETE FROM bitemporal_balances WHERE 1 = 0",
            3,
        ],
        "c": [
            lambda events, time, known_at: [event for event in events if event.valid_time <= time],
            lambda events, time, known_at: [event for event in events if event.recorded_time <= known_at],
            lambda events, time, known_at: [
                event for event in events if event.valid_time < time and event.recorded_time < known_at
            ],
            lambda events, time, known_at: [
                event for event in events if event.valid_time <= known_at and event.recorded_time <= time
            ],
            lambda events, time, known_at: sorted(
                (event for event in events if event.valid_time <= time and event.recorded_time <= known_at),
                key=lambda event: event.valid_time,
            ),
            lambda events, time, known_at: [],
            lambda events, time, known_at: 0,
            12,
        ],
    }
