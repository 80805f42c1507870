"""The command ``eventlab`` as a shell sees it: output, exit code, and what it leaves behind."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from eventlab.cluster import Lab

PROJECT = Path(__file__).resolve().parents[1]


def eventlab(*arguments: str, home: Path, **options: Any) -> "subprocess.CompletedProcess[str]":
    command = Path(sys.executable).with_name("eventlab")
    environment = {**os.environ, "EVENTLAB_HOME": str(home)}
    return subprocess.run(
        [command, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False, **options
    )


def status(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(eventlab("status", "--json", home=home).stdout)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of these tests' own, with a lab that ``up`` started."""
    directory = tmp_path_factory.mktemp("cli")
    done = eventlab("up", "--postgres", "--registry", home=directory)
    assert done.returncode == 0, done.stderr
    yield directory
    Lab(directory).reset()


def test_status_as_json_has_the_documented_shape(home: Path) -> None:
    state = status(home)
    assert set(state) == {"kafka", "postgres", "registry"}
    [broker] = state["kafka"]["brokers"]
    assert set(broker) == {"id", "pid", "port", "state"}
    assert state["kafka"]["bootstrap"] == f"127.0.0.1:{broker['port']}"
    assert broker["state"] == state["postgres"]["state"] == "running"
    assert state["postgres"]["url"].startswith("postgresql+psycopg://")
    assert state["registry"]["url"].endswith("/apis/ccompat/v7")
    assert f"Schema registry  {state['registry']['url']}" in eventlab("status", home=home).stdout
    assert "schema registry running" in eventlab("doctor", home=home).stdout


@pytest.mark.parametrize(("library", "words"), [("click", ["--version"]), ("pandas", ["pitfall", "list"])])
def test_ctrl_c_while_libraries_are_loaded_ends_it_quietly(library: str, words: list[str], tmp_path: Path) -> None:
    """In a shell, whose exit code for a program that SIGINT ended is 130 too."""
    (tmp_path / f"{library}.py").write_text("import os, time\nos.kill(os.getpid(), 2)\ntime.sleep(60)\n")
    command = shlex.join([str(Path(sys.executable).with_name("eventlab")), *words])
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        ["/bin/sh", "-c", f"{command}; echo $?"], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr.strip()) == ("130\n", "")


def test_schemas_are_written_where_one_wants_them(tmp_path: Path) -> None:
    done = eventlab("schemas", str(tmp_path / "schemas"), home=tmp_path)
    assert done.returncode == 0
    written = {path.name for path in (tmp_path / "schemas").iterdir()}
    assert {"ItemAdded.v1.json", "ItemAdded.v1.avsc", "SubjectForgotten.v1.json"} <= written
    assert f"{len(written)} schemas are in" in done.stdout


def test_schemas_that_cannot_be_written_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = eventlab("schemas", str(tmp_path / "file" / "schemas"), home=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_up_again_uses_the_same_cluster(home: Path) -> None:
    before = status(home)
    done = eventlab("up", home=home)
    assert done.returncode == 0
    assert before["kafka"]["bootstrap"] in done.stdout
    assert status(home) == before


def test_up_with_another_number_of_brokers_says_what_to_do(home: Path) -> None:
    done = eventlab("up", "--brokers", "3", home=home)
    assert done.returncode == 1
    assert "eventlab down" in done.stderr
    assert "Traceback" not in done.stderr


def test_kafkas_own_tools_run_unchanged(home: Path) -> None:
    made = eventlab("kafka", "topics", "--create", "--topic", "by-hand", "--partitions", "2", home=home)
    assert made.returncode == 0, made.stderr
    assert "by-hand" in eventlab("kafka", "topics", "--list", home=home).stdout.split()
    described = eventlab("kafka", "topics", "--describe", "--topic", "by-hand", home=home).stdout
    assert "PartitionCount: 2" in described
    assert eventlab("kafka", "topics", "--describe", "--topic", "not-there", home=home).returncode == 1
    assert eventlab("kafka", "no-such-tool", home=home).returncode == 2
    assert "console-consumer" in eventlab("kafka", home=home).stdout


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("features describe", "Feature: metadata.version"),
        ("metadata-quorum describe --status", "LeaderId"),
        ("cluster cluster-id", "Cluster ID:"),
    ],
)
def test_tools_with_subcommands_find_the_cluster(home: Path, words: str, answer: str) -> None:
    done = eventlab("kafka", *words.split(), home=home)
    assert answer in done.stdout, done.stderr
    assert done.returncode == 0


def test_console_producer_and_consumer(home: Path) -> None:
    eventlab("kafka", "topics", "--create", "--topic", "console", home=home)
    assert eventlab("kafka", "console-producer", "--topic", "console", home=home, input="trousers\n").returncode == 0
    arguments = ["--topic", "console", "--from-beginning", "--max-messages", "1"]
    assert eventlab("kafka", "console-consumer", *arguments, home=home).stdout == "trousers\n"


def test_a_broker_killed_and_restarted_has_its_port_and_its_records(home: Path) -> None:
    [before] = status(home)["kafka"]["brokers"]
    bootstrap = f"127.0.0.1:{before['port']}"
    eventlab("kafka", "topics", "--create", "--topic", "survivor", home=home)
    producer = Producer({"bootstrap.servers": bootstrap})
    producer.produce("survivor", b"still here")
    assert producer.flush(30) == 0
    assert eventlab("broker", "kill", "1", home=home).returncode == 0
    assert status(home)["kafka"]["brokers"][0]["state"] == "dead"
    assert eventlab("broker", "kill", "1", home=home).returncode == 1
    assert eventlab("doctor", home=home).returncode == 1
    done = eventlab("broker", "restart", "1", home=home)
    assert done.returncode == 0, done.stderr
    [after] = status(home)["kafka"]["brokers"]
    assert (after["port"], after["state"]) == (before["port"], "running")
    assert after["pid"] != before["pid"]
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader"})
    consumer.assign([TopicPartition("survivor", 0, 0)])
    message = consumer.poll(30)
    assert message is not None
    assert message.value() == b"still here"
    consumer.close()


def test_a_broker_paused_and_resumed(home: Path) -> None:
    assert eventlab("broker", "pause", "1", home=home).returncode == 0
    assert status(home)["kafka"]["brokers"][0]["state"] == "paused"
    assert eventlab("broker", "resume", "1", home=home).returncode == 0
    assert status(home)["kafka"]["brokers"][0]["state"] == "running"


def test_doctor_finds_a_healthy_lab_healthy(home: Path) -> None:
    done = eventlab("doctor", home=home)
    assert done.returncode == 0, done.stdout
    assert "MEND" not in done.stdout


def test_logs_show_the_brokers_words(home: Path) -> None:
    assert "Kafka Server started" in eventlab("logs", "broker-1", "--lines", "2000", home=home).stdout
    unknown = eventlab("logs", "nobody", home=home)
    assert unknown.returncode == 1
    assert "broker-1" in unknown.stderr


@pytest.mark.parametrize(
    "arguments",
    [["up", "--brokers", "2"], ["nonsense"], ["broker", "kill"], ["broker", "kill", "x"], ["logs", "--lines", "0"]],
)
def test_a_wrong_call_is_exit_code_2(arguments: list[str], tmp_path: Path) -> None:
    done = eventlab(*arguments, home=tmp_path)
    assert done.returncode == 2
    assert "Usage" in done.stderr


def test_without_a_lab_each_command_says_so(tmp_path: Path) -> None:
    assert status(tmp_path) == {"kafka": None, "postgres": None, "registry": None}
    for arguments in (["broker", "kill", "1"], ["kafka", "topics", "--list"]):
        done = eventlab(*arguments, home=tmp_path)
        assert done.returncode == 1
        assert "eventlab up" in done.stderr
    assert eventlab("down", home=tmp_path).returncode == 0
    assert "nothing to remove" in eventlab("reset", home=tmp_path).stdout


def test_a_report_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = eventlab("run", "--report", str(tmp_path / "file" / "report"), home=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--report DIRECTORY" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_reports_the_notebook_that_fails_and_goes_on(tmp_path: Path) -> None:
    import nbformat

    for name, code in (("1_bad", "1 / 0"), ("2_good", "print('all is ' + 'well')")):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    (tmp_path / "3_broken.ipynb").write_text("{")
    report = tmp_path / "report"
    names = [str(tmp_path / f"{name}.ipynb") for name in ("1_bad", "2_good", "3_broken")]
    done = eventlab("run", *names, "--report", str(report), home=tmp_path / "home")
    assert done.returncode == 1
    assert "1 passed, 2 failed" in done.stdout
    index = (report / "index.html").read_text()
    assert "ZeroDivisionError" in index
    assert "all is well" in (report / "2_good.html").read_text()


def test_reset_removes_the_labs_data_and_nothing_else(home: Path) -> None:
    """The last test of the file: the lab of the others is what it removes."""
    (home / "mine.txt").write_text("not the lab's")
    progress = home / "progress" / "me.json"
    progress.parent.mkdir()
    progress.write_text("{}")
    pid = status(home)["kafka"]["brokers"][0]["pid"]
    assert eventlab("reset", home=home).returncode == 0
    assert not (home / "kafka").exists()
    assert (home / "mine.txt").exists()
    assert progress.exists()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
