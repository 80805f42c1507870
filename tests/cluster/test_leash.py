"""A program on a leash ends with whoever holds it."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eventlab.cluster import leash
from eventlab.cluster.processes import Process

from .labs import DEADLINE, User, eventually

READY = "import os, sys; print(os.getpid(), flush=True)"
ECHO = f"{READY}; [print(line.strip().upper(), flush=True) for line in sys.stdin]"
# It never looks at its input. Only Linux tells such a program that its parent is gone.
DEAF = f"{READY}; import signal; signal.pause()"
END_WITH_THEIR_LEASH = {"reads": ECHO, **({"deaf": DEAF} if sys.platform == "linux" else {})}


def test_lines_go_in_and_come_out_as_they_are_written():
    with leash.tie([sys.executable, "-c", ECHO]) as tied:
        directory, pid = Path(tied.stdout.readline().strip()), int(tied.stdout.readline())
        program = Process.of(pid)
        assert Path(f"/proc/{pid}/cwd").resolve() == directory if Path("/proc").exists() else directory.is_dir()
        for word in ("one", "two"):
            tied.stdin.write(f"{word}\n")
            tied.stdin.flush()
            assert tied.stdout.readline() == f"{word.upper()}\n"
        leash.cut(tied)
        assert tied.wait(DEADLINE) == 0
    assert not program.alive
    assert not directory.exists(), "what it wrote goes with it"


def test_it_ends_with_a_killed_holder_even_when_it_is_stopped(home: Path):
    code = f"""
import sys
from eventlab.cluster import leash
tied = leash.tie([sys.executable, "-c", {ECHO!r}])
print(tied.stdout.readline().strip()); print(tied.stdout.readline().strip())
"""
    with User(home, code) as user:
        directory, program = Path(user.line()), Process.of(int(user.line()))
        program.send(signal.SIGSTOP)
        eventually(lambda: program.state == "paused")
        user.end(signal.SIGKILL)
        eventually(lambda: not program.alive)
    eventually(lambda: not directory.exists())


@pytest.mark.parametrize("program", END_WITH_THEIR_LEASH)
def test_it_ends_with_a_killed_leash(program: str):
    with leash.tie([sys.executable, "-c", END_WITH_THEIR_LEASH[program]]) as tied:
        directory, tied_up = Path(tied.stdout.readline().strip()), Process.of(int(tied.stdout.readline()))
        tied.kill()
        eventually(lambda: not tied_up.alive)
    shutil.rmtree(directory)


def test_a_program_that_ends_by_itself_is_no_trouble():
    with leash.tie([sys.executable, "-c", "print('done')"], stderr=subprocess.PIPE) as tied:
        tied.stdout.readline()
        assert tied.stdout.readline() == "done\n"
        assert tied.stdout.readline() == "", "its output ends when it does"
        leash.cut(tied)
        assert tied.stderr.read() == ""
    assert tied.returncode == 0
