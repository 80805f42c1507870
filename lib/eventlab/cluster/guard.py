"""The process that stops a lab when all who use it are gone, however they went (``kill -9`` included).

Started as a script, ``python -P guard.py HOME TOKEN``; it ends with the lab, or when `eventlab up` keeps the lab.
"""

import contextlib
import sys
import time
from pathlib import Path

_FIRST_LOOK_SECONDS = 2
_LOOK_SECONDS = 0.5


def main(directory: str, token: str) -> None:
    """Watch until the lab is nobody's, then stop it."""
    time.sleep(_FIRST_LOOK_SECONDS)  # the processor is for the brokers that start now; so are the imports put off
    from eventlab.cluster.errors import LabError
    from eventlab.cluster.lab import Lab

    lab = Lab(Path(directory))
    while True:
        with contextlib.suppress(LabError, OSError):  # the disk may be full now, and better in a while
            if lab.stop_if_unused(token):
                return
        time.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
