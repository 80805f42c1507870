"""`doctor` finds what is wrong and says how to mend it."""

from pathlib import Path

import psutil
import pytest

from eventlab import cluster
from eventlab.cluster import Lab, diagnosis, homes, jars

from .labs import eventually


def ill() -> dict[str, str]:
    """What needs mending, and how."""
    return {finding.what: finding.cure for finding in cluster.doctor() if not finding.well}


def test_nothing_is_wrong(lab: Lab) -> None:
    found = cluster.doctor()
    assert found.well, found
    assert "Apache Kafka 4" in repr(found)
    assert "MEND" not in repr(found)
    assert "<table>" in found._repr_html_()


def test_one_of_its_servers_is_dead(own: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLAB_HOME", str(own.home))
    assert "not running" in repr(cluster.doctor())
    own.up(1, with_postgres=True)
    psutil.Process(own.status()["postgres"]["pid"]).kill()
    eventually(lambda: own.status()["postgres"]["state"] == "dead")
    assert "`eventlab up`" in ill()["Lab"]
    assert "broker 1 running, PostgreSQL dead" in repr(cluster.doctor())
    own.up()
    assert "Lab" not in ill()
    own.kill(1)
    assert "`eventlab up`" in ill()["Lab"]


def test_set_up_was_not_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "runtime_directory", lambda: tmp_path)
    assert "`make setup`" in ill()["Kafka"]
    monkeypatch.setattr(jars, "missing", list)
    assert "`make setup`" in ill()["Kafka"]


def test_the_machine_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "_LEAST_MEMORY", 2**60)
    monkeypatch.setattr(homes, "LEAST_FREE_BYTES", 2**60)
    monkeypatch.setattr(diagnosis, "_PYTHONS", ((2, 0), (2, 7)))
    assert set(ill()) == {"Python", "Memory", "Home"}
    assert "Free some space" in ill()["Home"]
    assert "<td>✗ mend</td>" in cluster.doctor()._repr_html_()


def test_a_prefix_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLAB_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("EVENTLAB_PREFIX", "with space")
    assert "EVENTLAB_PREFIX" in ill()["EVENTLAB_KAFKA"]
