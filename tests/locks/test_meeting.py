"""The meeting point: nobody writes before every writer has read, or stands at the lock."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventlab.locks.meeting import Meeting
from eventlab.locks.steps import Step


def attend(meeting, writer, rounds, lock=None):
    with meeting.writer():
        for number in range(1, rounds + 1):
            tell = meeting.round(number, writer)
            while lock and not lock.acquire(timeout=0.001):
                tell(Step.WAITS, None)
            tell(Step.READS, 0)
            tell(Step.WRITES, 1)
            if lock:
                lock.release()


@settings(max_examples=20, deadline=None)
@given(writers=st.integers(1, 6), rounds=st.integers(1, 4))
def test_without_a_lock_all_read_before_the_first_writes(writers, rounds):
    meeting = Meeting(writers, lambda: 0)
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(lambda writer: attend(meeting, writer, rounds), range(1, writers + 1)))
    for number in range(1, rounds + 1):
        steps = [told.step for told in meeting.log.told if told.round == number]
        assert steps == [Step.READS] * writers + [Step.WRITES] * writers


@settings(max_examples=20, deadline=None)
@given(writers=st.integers(1, 6), rounds=st.integers(1, 4))
def test_with_a_lock_the_first_writes_once_all_others_wait_for_it(writers, rounds):
    meeting, lock = Meeting(writers, lambda: 0), threading.Lock()
    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(lambda writer: attend(meeting, writer, rounds, lock), range(1, writers + 1)))
    for number in range(1, rounds + 1):
        told = [each for each in meeting.log.told if each.round == number]
        steps = [each.step for each in told if each.step is not Step.WAITS]
        assert steps == [Step.READS, Step.WRITES] * writers
        before = told[: [each.step for each in told].index(Step.WRITES)]
        assert {each.writer for each in before} == set(range(1, writers + 1))


def test_a_writer_that_fails_holds_up_nobody():
    meeting = Meeting(3, lambda: 0)

    def fail():
        with meeting.writer():
            meeting.round(1, 3)
            raise RuntimeError("planted")

    with ThreadPoolExecutor(3) as pool:
        others = [pool.submit(attend, meeting, writer, 1) for writer in (1, 2)]
        failed = pool.submit(fail)
        with pytest.raises(RuntimeError, match="planted"):
            failed.result(30)
        for other in others:
            with pytest.raises(threading.BrokenBarrierError):
                other.result(30)
