"""``eventlab pitfall`` on the session's brokers."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from eventlab.cli import main
from eventlab.pitfalls import gallery
from eventlab.pitfalls.producers import wrong_key

P2 = wrong_key.PITFALL


def pitfall(*arguments):
    return CliRunner().invoke(main, ["pitfall", *arguments])


@pytest.fixture
def a_cure_that_does_not_cure(monkeypatch):
    monkeypatch.setattr(gallery, "gallery", lambda: {"P2": replace(P2, cured={"key": "type"})})


def test_the_list_says_each_in_a_sentence():
    done = pitfall("list")
    assert done.exit_code == 0
    assert f"P2   {P2.hypothesis}\n" in done.output


def test_the_list_as_json_has_an_object_per_pitfall():
    entries = [json.loads(line) for line in pitfall("list", "--json").output.splitlines()]
    assert [entry["id"] for entry in entries] == list(gallery.gallery())
    [second] = [entry for entry in entries if entry["id"] == "P2"]
    assert second["broken"] == {"key": None}
    assert second["cured"] == {"key": "cart"}
    assert second["brokers"] == 1


def test_a_run_gives_one_object_per_pitfall_over_all_its_trials(kafka):
    done = pitfall("run", "p2", "P1", "--repeat", "2", "--seed", "3", "--json")
    assert done.exit_code == 0
    second, first = map(json.loads, done.stdout.splitlines())
    assert second.keys() == {"id", "broken", "cured", "unit", "seconds", "repeat", "repeated"}
    assert (first["id"], second["id"]) == ("P1", "P2")
    assert second["broken"] > second["cured"] == 0
    assert (second["repeat"], second["repeated"]) == (2, 2)
    assert second["unit"] == P2.unit
    assert 0 < second["seconds"] < 2 * P2.budget


def test_a_run_in_words_says_what_differed_and_what_was_counted(kafka):
    lines = pitfall("run", "P2").stdout.splitlines()
    assert lines[0].startswith("P2   shown, and cured, 1 of 1 trials")
    assert lines[1].startswith("     broken (key = None): ")
    assert lines[2] == f"     cured  (key = cart): 0 of {wrong_key.SHOPPERS} {P2.unit}"


def test_a_cure_that_does_not_cure_is_exit_code_1(kafka, a_cure_that_does_not_cure):
    done = pitfall("run", "P2", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["repeated"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["P99"], "There is no pitfall 'P99'; there are: P1, P2,"),
        ([], "Name the pitfalls, or say --all."),
        (["P2", "--all"], "Name the pitfalls, or say --all."),
        (["P2", "--repeat", "0"], "x>=1"),
    ],
)
def test_a_wrong_call_is_exit_code_2_and_a_sentence(arguments, said):
    done = pitfall("run", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_in_a_notebook_a_trial_shows_verdict_and_the_lanes_of_both_arms(kafka, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda what, **_: shown.append(what))
    trial = gallery.try_out(kafka, "P2")
    trial._ipython_display_()
    verdict, broken, cured = shown
    assert "Shown, and cured." in verdict["text/html"]
    assert verdict["text/plain"] == repr(trial)
    assert f"{trial.broken.count}" in verdict["text/html"]
    assert len(broken._frame) == len(trial.broken.records)
    assert len(cured._frame) == len(trial.cured.records)
