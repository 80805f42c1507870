"""Progress is kept per learner, survives two open notebooks and a damaged file, and never stops a lesson."""

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from eventlab.course import journal
from eventlab.course.journal import facts, fold, learner, path, progress, record


@pytest.fixture(autouse=True)
def _progress_of_ana(tmp_path, monkeypatch):
    monkeypatch.setenv("EVENTLAB_HOME", str(tmp_path))
    monkeypatch.setenv("EVENTLAB_LEARNER", "ana")


def mine(lesson="01"):
    read, note = facts()
    assert note == ""
    return fold(read)[lesson]


def test_what_was_recorded_is_read_back():
    assert record("01", "predicted", "put back", 12.5) == ""
    assert record("01", "checked", "a", True) == ""
    assert record("01", "recalled", "2", False) == ""
    assert mine().predictions == {"put back": 12.5}
    assert mine().exercises == {"a": True}
    assert mine().recall == {"2": False}


def test_the_last_guess_counts_and_a_right_answer_stays_right():
    record("01", "predicted", "p", 1)
    record("01", "predicted", "p", 2)
    record("01", "checked", "a", True)
    record("01", "checked", "a", False)
    assert mine().predictions == {"p": 2}
    assert mine().exercises == {"a": True}


def test_two_notebooks_open_at_once_lose_nothing():
    def notebook(number):
        for n in range(50):
            assert record(number, "predicted", str(n), n) == ""

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(notebook, ["01", "04"]))
    expected = {str(n): n for n in range(50)}
    assert mine("01").predictions == expected
    assert mine("04").predictions == expected


def test_each_learner_has_a_file_of_their_own(monkeypatch):
    record("01", "checked", "a", True)
    monkeypatch.setenv("EVENTLAB_LEARNER", "bruno")
    assert facts() == ([], "")


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "Zoë Müller", ".", "..", "a\\b:c", "学习者"])
def test_any_name_stays_within_the_home(name, monkeypatch, tmp_path):
    monkeypatch.setenv("EVENTLAB_LEARNER", name)
    assert record("01", "checked", "a", True) == ""
    assert path().parent == tmp_path / "progress"
    assert path().is_file()


def test_different_names_never_share_a_file(monkeypatch):
    names = ["a/b", "a_b", "a%2Fb", "a b", "..", "."]
    files = set()
    for name in names:
        monkeypatch.setenv("EVENTLAB_LEARNER", name)
        files.add(path())
    assert len(files) == len(names)


def test_without_a_name_of_its_own_the_learner_is_the_user(monkeypatch):
    monkeypatch.delenv("EVENTLAB_LEARNER")
    monkeypatch.setattr(journal.getpass, "getuser", lambda: "carla")
    assert learner() == "carla"


def test_a_user_id_without_a_name_is_still_a_learner(monkeypatch):
    def nameless():
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.delenv("EVENTLAB_LEARNER")
    monkeypatch.setattr(journal.getpass, "getuser", nameless)
    assert learner() == "learner"


@pytest.mark.parametrize("damage", [b"\xff\xfe\x00", b"{not json", b'{"lesson": 1}', b"[]", b'{"lesson":"01","kin'])
def test_a_damaged_line_is_named_and_the_rest_survives(damage):
    record("01", "checked", "a", True)
    with path().open("ab") as file:
        file.write(b"\n" + damage)
    record("01", "checked", "b", True)
    read, note = facts()
    assert fold(read)["01"].exercises == {"a": True, "b": True}
    assert note == f"In {path()} these lines cannot be read and are left out: 3."


def test_a_file_of_rubbish_is_a_note_and_new_progress_is_kept():
    path().parent.mkdir()
    path().write_bytes(bytes(range(256)))
    assert record("01", "checked", "a", True) == ""
    read, note = facts()
    assert fold(read)["01"].exercises == {"a": True}
    assert "cannot be read" in note


def test_a_home_that_cannot_be_written_is_a_note(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a directory")
    monkeypatch.setenv("EVENTLAB_HOME", str(tmp_path / "file"))
    note = record("01", "checked", "a", True)
    assert note.startswith("Your progress is not kept (")
    assert note.endswith("The lesson works all the same.")
    assert facts()[0] == []


def test_a_progress_file_that_is_a_directory_is_a_note():
    path().mkdir(parents=True)
    assert "not kept" in record("01", "checked", "a", True)
    assert "cannot be read" in facts()[1]


@pytest.mark.parametrize("full", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), 3], ids=["refused", "cut short"])
def test_a_full_disk_is_a_note(full, monkeypatch):
    def write(*_):
        if isinstance(full, OSError):
            raise full
        return full

    monkeypatch.setattr(journal.os, "write", write)
    assert "No space left on device" in record("01", "checked", "a", True)


def test_a_name_too_long_for_a_file_is_a_note(monkeypatch):
    monkeypatch.setenv("EVENTLAB_LEARNER", "x" * 300)
    assert "Your progress is not kept" in record("01", "checked", "a", True)
    assert "Your progress cannot be read" in facts()[1]


def test_the_file_is_the_learners_own():
    record("01", "checked", "a", True)
    assert stat.S_IMODE(path().stat().st_mode) & 0o022 == 0


def test_the_table_has_a_row_per_lesson_and_counts_what_is_right():
    record("01", "predicted", "p", 1)
    record("01", "checked", "b", True)
    record("01", "checked", "c", False)
    table = progress()
    row = table.loc["01 · Trousers"]
    assert row["predictions"] == 1
    assert row["exercises"].startswith("1 of ")
    assert row["recall"].startswith("0 of ")


def test_the_table_shows_the_note_of_a_damaged_file(capsys):
    path().parent.mkdir()
    path().write_text("rubbish")
    progress()
    assert "cannot be read" in capsys.readouterr().out
