"""What people mean by "on Monday": the end of that day, where they are."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def end_of_day(day: date | str, zone: str) -> datetime:
    """The last microsecond of ``day`` (``"2026-03-02"``) in a time zone of the IANA database, in UTC.

    A day ends at another moment in Berlin than in Lisbon, and lasts 23 or 25 hours twice a year.
    Raises ValueError when there is no such day or no such zone.
    """
    try:
        last = datetime.combine(date.fromisoformat(day) if isinstance(day, str) else day, time.max)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{day!r} is not a day; write it as 2026-03-02") from error
    try:
        return last.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {zone!r}; one is Europe/Berlin, and UTC is one too") from error
