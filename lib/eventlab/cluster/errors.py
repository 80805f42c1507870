"""What goes wrong with a lab; every message says what happened and what to do about it."""


class LabError(Exception):
    """A lab that cannot do what was asked. The message is meant for the user and ends with the cure."""


class NeedsEmbeddedLab(LabError):
    """An experiment on brokers that this lab did not start: they can be used, not killed or paused."""


class OtherSize(LabError):
    """A lab runs, but with another number of brokers than was asked for."""
