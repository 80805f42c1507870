"""A cluster or database that the lab did not start: ``EVENTLAB_KAFKA``, ``EVENTLAB_KAFKA_CONFIG``, ``EVENTLAB_SQL``."""

import os
import re
from pathlib import Path

from eventlab.cluster.errors import LabError

# Names in a Java client's properties file and what librdkafka calls them.
_RENAMED = {"ssl.truststore.location": "ssl.ca.location", "ssl.truststore.certificates": "ssl.ca.pem",
            "ssl.keystore.location": "ssl.certificate.location", "sasl.mechanism": "sasl.mechanisms"}  # fmt: skip
_ONLY_JAVA = {"sasl.jaas.config", "ssl.truststore.type", "ssl.truststore.password", "ssl.keystore.type"}
_JAAS = re.compile(r'(username|password)\s*=\s*"((?:[^"\\]|\\.)*)"')


def bootstrap() -> str | None:
    """The cluster to use instead of the lab's own brokers (``EVENTLAB_KAFKA``: ``host:port,…``), if any."""
    return os.environ.get("EVENTLAB_KAFKA") or None


def sql_url() -> str | None:
    """The database to use instead of the lab's own (``EVENTLAB_SQL``: an SQLAlchemy URL), if any."""
    return os.environ.get("EVENTLAB_SQL") or None


def prefix() -> str:
    """What every topic, group and schema name of this learner starts with (``EVENTLAB_PREFIX``), or nothing.

    Raises LabError when Kafka would not take it in a name.
    """
    chosen = os.environ.get("EVENTLAB_PREFIX", "")
    if chosen and not re.fullmatch(r"[A-Za-z0-9._-]{1,60}", chosen):
        raise LabError(f"EVENTLAB_PREFIX is {chosen!r}; use 1 to 60 letters, digits, dots, dashes or underscores.")
    return chosen


def config_file() -> Path | None:
    """The properties file with what the cluster asks of its clients (``EVENTLAB_KAFKA_CONFIG``), if any."""
    chosen = os.environ.get("EVENTLAB_KAFKA_CONFIG")
    return Path(chosen).expanduser() if chosen else None


def client_config() -> dict[str, str]:
    """That file as settings for confluent-kafka. It may use librdkafka's names or a Java client's.

    Raises LabError when the file cannot be read, or asks for a Java key store (librdkafka reads PEM).
    """
    path = config_file()
    if path is None:
        return {}
    try:
        properties = parse_properties(path.read_text())
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise LabError(f"EVENTLAB_KAFKA_CONFIG: {path} cannot be read ({error}).") from error
    for kind in ("ssl.truststore.type", "ssl.keystore.type"):
        stores = [key for key in properties if key.startswith(kind.removesuffix("type") + "location")]
        if stores and properties.get(kind, "JKS") != "PEM":
            raise LabError(
                f"{path}: {stores[0]} is a Java key store; this client reads PEM. Export the certificates "
                f"(keytool -exportcert -rfc …), name the PEM file there and add {kind}=PEM."
            )
    settings = {_RENAMED.get(key, key): value for key, value in properties.items() if key not in _ONLY_JAVA}
    settings.update({f"sasl.{name}": value for name, value in _JAAS.findall(properties.get("sasl.jaas.config", ""))})
    return settings


def java_properties(settings: dict[str, str]) -> str:
    """Settings for confluent-kafka as a properties file for Kafka's own (Java) tools."""
    back = {ours: java for java, ours in _RENAMED.items()}
    java = {back.get(key, key): value for key, value in settings.items() if not key.startswith("bootstrap")}
    if "ssl.truststore.location" in java or "ssl.truststore.certificates" in java:
        java["ssl.truststore.type"] = "PEM"
    user, password = java.pop("sasl.username", None), java.pop("sasl.password", None)
    if user is not None:
        module = "plain.PlainLoginModule" if java.get("sasl.mechanism") == "PLAIN" else "scram.ScramLoginModule"
        credentials = f'username="{_quoted(user)}" password="{_quoted(password or "")}"'
        java["sasl.jaas.config"] = f"org.apache.kafka.common.security.{module} required {credentials};"
    return "".join(f"{key}={_escaped(value)}\n" for key, value in java.items())


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def parse_properties(text: str) -> dict[str, str]:
    """A Java properties file: comments, ``key=value`` or ``key: value``, lines continued by a backslash."""
    joined = re.sub(r"(?<!\\)((?:\\\\)*)\\\n[ \t]*", r"\1", text)
    properties = {}
    for number, line in enumerate(joined.splitlines(), start=1):
        line = line.strip()
        if not line or line[0] in "#!":
            continue
        key, separator, value = re.match(r"([^=:\s]*)\s*([=:]?)\s*(.*)", line).groups()  # type: ignore[union-attr]
        if not separator or not key:
            raise ValueError(f"line {number} is not key=value: {line[:40]}")
        properties[key] = re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), value)
    return properties
