"""Makes once what every later start profits from: a storage formatted by Kafka's own tool, and the JVM's cache."""

import shutil
import subprocess
from pathlib import Path

from eventlab.cluster import broker, homes, jars, processes, runtime
from eventlab.cluster.clients import admin, await_futures
from eventlab.cluster.errors import LabError

_STEPS = 3
_STEP_SECONDS = 120


def ensure_cache(scratch: Path, progress: jars.Progress) -> None:
    """Format a storage with Kafka's own tool, then run a broker once and keep what the JVM learned (JEP 483, 515)."""
    if runtime.ready():
        return
    what = "Warm start (once)"
    cache = runtime.cache()
    processes.stop(processes.marked(_mark()), 0)  # the broker of a set-up that was killed
    try:
        cache.parent.mkdir(exist_ok=True)
        progress(what, 0, _STEPS)
        _format(scratch)
        progress(what, 1, _STEPS)
        record = _record(scratch)
        progress(what, 2, _STEPS)
        made = scratch / "cache"
        flags = [runtime.HEAP, "-XX:AOTMode=create", f"-XX:AOTConfiguration={record}", f"-XX:AOTCache={made}"]
        _checked(runtime.command("kafka.Kafka", flags=flags))
        made.replace(cache)
        progress(what, _STEPS, _STEPS)
    except OSError as error:
        raise homes.cannot_write(cache.parent, error) from error


def _checked(words: list[str]) -> None:
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_STEP_SECONDS, check=False
    )
    if done.returncode:
        raise LabError(
            f"Java failed during set-up (exit code {done.returncode}): {done.stdout.strip()[-500:]}\n"
            "Run `make clean setup`; `eventlab doctor` checks disk and memory."
        )


def _format(directory: Path) -> None:
    layout = broker.Layout.choose(1)
    settings = layout.write(1, directory / "data", directory / "server.properties")
    _checked(runtime.command("kafka.tools.StorageTool", "format", "-t", broker.random_id(), "-c", settings))
    copy = shutil.copyfile(directory / "data" / "bootstrap.checkpoint", directory / "bootstrap.checkpoint")
    copy.replace(runtime.bootstrap_checkpoint())


def _mark() -> str:
    return broker.mark_argument(homes.mark(jars.runtime_directory()))


def _record(directory: Path) -> Path:
    """Run a broker through a small life (topic, transaction, group); the file in which the JVM wrote what it did."""
    layout = broker.Layout.choose(1)
    log, record = directory / "broker.log", directory / "record"
    settings = layout.write(1, directory / "data", directory / "server.properties")
    flags = [runtime.HEAP, "-XX:AOTMode=record", f"-XX:AOTConfiguration={record}", _mark()]
    command = runtime.command("kafka.Kafka", settings, flags=flags, log=log)
    process = processes.spawn(command, directory / "broker.out", env=runtime.server_environment())
    try:
        broker.wait_until_ready({1: process}, layout, directory, deadline=_STEP_SECONDS)
        _exercise(layout.bootstrap)
    finally:
        processes.stop([process], patience=_STEP_SECONDS)
    if not record.exists():
        output = (directory / "broker.out").read_text()
        raise LabError(f"Java recorded nothing during set-up: {output[-500:]}")
    return record


def _exercise(bootstrap: str) -> None:
    """A topic, a transaction, a consumer group, and away with it."""
    from confluent_kafka import Consumer, Producer
    from confluent_kafka.admin import NewTopic

    config = {"bootstrap.servers": bootstrap, "log_level": 0}
    topic = "warm-up"
    client = admin(config)
    await_futures(client.create_topics([NewTopic(topic, 2, 1)]))
    producer = Producer({**config, "transactional.id": topic})
    producer.init_transactions()
    producer.begin_transaction()
    producer.produce(topic, key=b"key", value=b"value")
    producer.commit_transaction()
    consumer = Consumer({**config, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    while (message := consumer.poll(1.0)) is None or message.error():
        pass
    consumer.commit(asynchronous=False)
    consumer.close()
    await_futures(client.delete_topics([topic]))
