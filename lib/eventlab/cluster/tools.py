"""Kafka's own command-line tools, unchanged, on the lab's brokers or yours."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from eventlab.cluster import elsewhere, install, runtime
from eventlab.cluster.errors import LabError
from eventlab.cluster.lab import Lab

# The names of Kafka's scripts (kafka-NAME.sh) and the classes that they run.
_PACKAGE = "org.apache.kafka.tools"
_ON_A_CLUSTER = {
    "acls": f"{_PACKAGE}.AclCommand",
    "broker-api-versions": f"{_PACKAGE}.BrokerApiVersionsCommand",
    "client-metrics": f"{_PACKAGE}.ClientMetricsCommand",
    "cluster": f"{_PACKAGE}.ClusterTool",
    "configs": "kafka.admin.ConfigCommand",
    "console-consumer": f"{_PACKAGE}.consumer.ConsoleConsumer",
    "console-producer": f"{_PACKAGE}.ConsoleProducer",
    "console-share-consumer": f"{_PACKAGE}.consumer.ConsoleShareConsumer",
    "consumer-groups": f"{_PACKAGE}.consumer.group.ConsumerGroupCommand",
    "consumer-perf-test": f"{_PACKAGE}.ConsumerPerformance",
    "delegation-tokens": f"{_PACKAGE}.DelegationTokenCommand",
    "delete-records": f"{_PACKAGE}.DeleteRecordsCommand",
    "e2e-latency": f"{_PACKAGE}.EndToEndLatency",
    "features": f"{_PACKAGE}.FeatureCommand",
    "get-offsets": f"{_PACKAGE}.GetOffsetShell",
    "groups": f"{_PACKAGE}.GroupsCommand",
    "leader-election": f"{_PACKAGE}.LeaderElectionCommand",
    "log-dirs": f"{_PACKAGE}.LogDirsCommand",
    "metadata-quorum": f"{_PACKAGE}.MetadataQuorumCommand",
    "producer-perf-test": f"{_PACKAGE}.ProducerPerformance",
    "reassign-partitions": f"{_PACKAGE}.reassign.ReassignPartitionsCommand",
    "share-consumer-perf-test": f"{_PACKAGE}.ShareConsumerPerformance",
    "share-groups": f"{_PACKAGE}.consumer.group.ShareGroupCommand",
    "streams-application-reset": f"{_PACKAGE}.StreamsResetter",
    "streams-groups": f"{_PACKAGE}.streams.StreamsGroupCommand",
    "topics": f"{_PACKAGE}.TopicCommand",
    "transactions": f"{_PACKAGE}.TransactionsCommand",
    "verifiable-consumer": f"{_PACKAGE}.VerifiableConsumer",
    "verifiable-producer": f"{_PACKAGE}.VerifiableProducer",
}
_ON_FILES = {
    "dump-log": f"{_PACKAGE}.DumpLogSegments",
    "storage": "kafka.tools.StorageTool",
}
TOOLS = {**_ON_A_CLUSTER, **_ON_FILES}
# Where the cluster is stands before a subcommand, which would not know it; but these have it from the subcommand.
_KNOWN_TO_SUBCOMMANDS = {"cluster"}
_WHERE = ("--bootstrap-server", "-b", "--broker-list", "--bootstrap-controller", "-C")
_CONFIG = ("--command-config", "--config-file")
_HELP = ("--help", "--version")


def run(tool: str, arguments: Sequence[str]) -> int:
    """Run ``tool`` with ``arguments``, adding only where the cluster is and how to log in, unless they say so.

    Gives the tool's exit code. Raises LabError when there is no cluster to run it on, or no way to log in there.
    """
    install.ensure()
    with tempfile.TemporaryDirectory() as scratch:
        words = list(arguments)
        if tool in _ON_A_CLUSTER and words and not any(word.split("=")[0] in (*_WHERE, *_HELP) for word in words):
            where = ["--bootstrap-server", _bootstrap(), *_login(words, Path(scratch))]
            words = [*words, *where] if tool in _KNOWN_TO_SUBCOMMANDS else [*where, *words]
        try:
            return runtime.run(TOOLS[tool], *words).returncode
        except KeyboardInterrupt:  # how one leaves a console consumer
            return 0


def _bootstrap() -> str:
    if there := elsewhere.bootstrap():
        return there
    status = Lab().status()["kafka"]
    if status is None:
        raise LabError("No lab runs here. `eventlab up` starts one; EVENTLAB_KAFKA names a cluster of yours.")
    return str(status["bootstrap"])


def _login(words: Sequence[str], scratch: Path) -> list[str]:
    if elsewhere.bootstrap() is None or any(word.split("=")[0] in _CONFIG for word in words):
        return []
    settings = elsewhere.client_config()
    elsewhere.check_certificates(settings)
    path = scratch / "client.properties"
    path.touch(mode=0o600)
    path.write_text(elsewhere.java_properties(settings))
    return ["--command-config", str(path)]
