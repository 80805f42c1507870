"""Runs a program for as long as somebody holds the other end of its standard input: a leash that ``kill -9`` cuts too.

Started as a script, ``python -P leash.py PROGRAM ARGUMENT …``; imports nothing of the lab, so that it is there at once.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tie(command: Sequence[str], **popen: Any) -> "subprocess.Popen[str]":
    """Start ``command`` so that it is killed when this process is gone, however it went, or when it is :func:`cut`.

    Its working directory is a fresh one, named by the first line on ``stdout`` and removed at the end. The lines
    written to ``stdin`` reach it, what it prints comes on ``stdout``. Ctrl-C does not reach it.
    """
    return subprocess.Popen(
        [sys.executable, "-P", __file__, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **popen,
    )


def cut(leash: "subprocess.Popen[str]") -> None:
    """End what :func:`tie` started, now."""
    assert leash.stdin
    with contextlib.suppress(BrokenPipeError):
        leash.stdin.close()


def _main(*command: str) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="eventlab-") as directory,
        subprocess.Popen(command, stdin=subprocess.PIPE, cwd=directory, preexec_fn=_follow) as program,
    ):
        try:
            os.write(sys.stdout.fileno(), f"{directory}\n".encode())
            with Path(os.devnull).open("wb") as nowhere:  # from here on the program alone holds the output
                os.dup2(nowhere.fileno(), sys.stdout.fileno())
            # One read of what is there, not of a full buffer: lines go on as they come. Nothing: nobody holds us.
            while data := os.read(sys.stdin.fileno(), 65536):
                os.write(program.stdin.fileno(), data)  # type: ignore[union-attr]
        except BrokenPipeError:
            pass  # the program has ended, or nobody reads any more
        finally:
            program.kill()


def _follow() -> None:
    """In the program: on Linux it ends with the leash, too, if somebody kills that. (There is no thread to disturb.)"""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    _main(*sys.argv[1:])
