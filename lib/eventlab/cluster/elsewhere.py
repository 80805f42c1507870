"""Servers that the lab did not start: ``EVENTLAB_KAFKA`` with ``_CONFIG``, ``_SQL``, ``_REDIS``, ``_REGISTRY``."""

import os
import re
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eventlab.cluster.clients import admin
from eventlab.cluster.errors import LabError

# Names in a Java client's properties file and what librdkafka calls them. A PEM key store holds key and certificates.
_FROM_JAVA = {
    "ssl.truststore.location": ["ssl.ca.location"],
    "ssl.truststore.certificates": ["ssl.ca.pem"],
    "ssl.keystore.location": ["ssl.certificate.location", "ssl.key.location"],
    "ssl.keystore.certificate.chain": ["ssl.certificate.pem"],
    "ssl.keystore.key": ["ssl.key.pem"],
    "sasl.mechanism": ["sasl.mechanisms"],
}
_ONLY_JAVA = {"sasl.jaas.config", "ssl.truststore.type", "ssl.truststore.password", "ssl.keystore.type"}
# And back, for Kafka's own tools; librdkafka's files become text, since Java wants key and certificates in one.
_TO_JAVA = {
    "ssl.ca.location": "ssl.truststore.location",
    "ssl.ca.pem": "ssl.truststore.certificates",
    "ssl.certificate.pem": "ssl.keystore.certificate.chain",
    "ssl.key.pem": "ssl.keystore.key",
    "sasl.mechanisms": "sasl.mechanism",
}
_AS_TEXT = {"ssl.certificate.location": "ssl.certificate.pem", "ssl.key.location": "ssl.key.pem"}
_NO_HOST_CHECK = "ssl.endpoint.identification.algorithm"  # Java says "" for librdkafka's "none"
_JAAS = re.compile(r'\b(username|password)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))')
_ANSWER_SECONDS = 10
_ATTEMPT_SECONDS = 0.5


def bootstrap() -> str | None:
    """The cluster to use instead of the lab's own brokers (``EVENTLAB_KAFKA``: ``host:port,…``), if any."""
    return os.environ.get("EVENTLAB_KAFKA") or None


def sql_url() -> str | None:
    """The database to use instead of the lab's own (``EVENTLAB_SQL``: an SQLAlchemy URL), if any."""
    return os.environ.get("EVENTLAB_SQL") or None


def redis_url() -> str | None:
    """The Redis to take locks in instead of one that ends with the process (``EVENTLAB_REDIS``: a URL), if any."""
    return os.environ.get("EVENTLAB_REDIS") or None


def registry_url() -> str | None:
    """The schema registry to use instead of the lab's own (``EVENTLAB_REGISTRY``: a URL), if any."""
    return os.environ.get("EVENTLAB_REGISTRY") or None


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
    import javaproperties

    path = config_file()
    if path is None:
        return {}
    try:
        properties = javaproperties.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise LabError(f"EVENTLAB_KAFKA_CONFIG: {path} cannot be read ({error}). Name a properties file.") from error
    return from_java(properties, path)


def from_java(properties: dict[str, str], path: Path) -> dict[str, str]:
    """Properties (from ``path``, for the error) with librdkafka's names. Raises LabError for a Java key store."""
    for location in ("ssl.truststore.location", "ssl.keystore.location"):
        kind = location.replace("location", "type")
        if location in properties and properties.get(kind, "JKS") != "PEM":
            raise LabError(
                f"{path}: {location} is a Java key store; this client reads PEM. Export the certificates "
                f"(keytool -exportcert -rfc …), name the PEM file there and add {kind}=PEM."
            )
    settings = {
        name: value for key, value in properties.items() if key not in _ONLY_JAVA for name in _FROM_JAVA.get(key, [key])
    }
    if settings.get(_NO_HOST_CHECK) == "":
        settings[_NO_HOST_CHECK] = "none"
    for name, quoted, bare in _JAAS.findall(properties.get("sasl.jaas.config", "")):
        settings[f"sasl.{name}"] = bare or re.sub(r"\\(.)", r"\1", quoted)
    return settings


def java_properties(settings: dict[str, str]) -> str:
    """Settings for confluent-kafka as a properties file for Kafka's own (Java) tools, without where the cluster is."""
    import javaproperties

    java = {key: value for key, value in to_java(settings).items() if key != "bootstrap.servers"}
    return javaproperties.dumps(java, timestamp=False)


def to_java(settings: Mapping[str, str]) -> dict[str, str]:
    """Settings for confluent-kafka by the names and values of a Java client; names that it does not know stay.

    Raises LabError for a certificate or key that cannot be read.
    """
    as_text = {_AS_TEXT.get(key, key): _text(key, v) if key in _AS_TEXT else v for key, v in settings.items()}
    java = {_TO_JAVA.get(key, key): value for key, value in as_text.items()}
    for store in ("ssl.truststore", "ssl.keystore"):
        if any(key.startswith(store) for key in java):
            java[f"{store}.type"] = "PEM"
    if java.get(_NO_HOST_CHECK) == "none":
        java[_NO_HOST_CHECK] = ""
    user, password = java.pop("sasl.username", None), java.pop("sasl.password", "")
    if user is not None:
        module = "plain.PlainLoginModule" if java.get("sasl.mechanism") == "PLAIN" else "scram.ScramLoginModule"
        credentials = f'username="{_quoted(user)}" password="{_quoted(password)}"'
        java["sasl.jaas.config"] = f"org.apache.kafka.common.security.{module} required {credentials};"
    return java


def check_certificates(settings: Mapping[str, str]) -> None:
    """Have OpenSSL read the files that settings for confluent-kafka name; from a Java client it would be a trace.

    Raises LabError for a file that is not there or holds no certificate, and for a key that does not open or fit.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority, certificate, key = map(settings.get, ("ssl.ca.location", *_AS_TEXT))
    try:
        if authority:
            context.load_verify_locations(authority)
    except OSError as error:
        raise LabError(
            f"ssl.ca.location: {authority} cannot be used ({error}). Name a PEM file with the authority's certificate."
        ) from error
    try:
        if certificate:
            context.load_cert_chain(certificate, key, settings.get("ssl.key.password", ""))
    except OSError as error:
        raise LabError(
            f"ssl.certificate.location, ssl.key.location: {certificate} and {key} cannot be used together ({error}). "
            "Name PEM files with a certificate and with its key; ssl.key.password opens the key."
        ) from error


def _text(name: str, path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, ValueError) as error:
        raise LabError(f"{name}: {path} cannot be read ({error}). Name a PEM file.") from error


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def config() -> dict[str, str]:
    """What a client needs to use the cluster that ``EVENTLAB_KAFKA`` names."""
    return {**client_config(), "bootstrap.servers": bootstrap() or ""}


def count_brokers() -> int:
    """How many brokers that cluster has. Raises LabError when it cannot be used, with what is to be changed."""
    from confluent_kafka import KafkaError, KafkaException

    said: list[Any] = []
    try:
        client = admin({**config(), "error_cb": said.append})
    except KafkaException as error:
        raise LabError(f"EVENTLAB_KAFKA_CONFIG: {config_file()}: {error.args[0].str()}. Correct that line.") from error
    end = time.monotonic() + _ANSWER_SECONDS
    while True:
        try:
            return len(client.list_topics(timeout=_ATTEMPT_SECONDS).brokers)
        except KafkaException as error:
            client.poll(0)  # brings what was said
            last = error.args[0]
        refused = {error.code(): error.str() for error in said}
        if reason := refused.get(KafkaError._AUTHENTICATION):
            raise LabError(
                f"The cluster at {bootstrap()} refused the login: {reason}. Check user, password and mechanism in "
                "the file that EVENTLAB_KAFKA_CONFIG names."
            )
        if reason := refused.get(KafkaError._SSL):
            raise LabError(
                f"No TLS connection to {bootstrap()}: {reason}. Check security.protocol and ssl.ca.location in the "
                "file that EVENTLAB_KAFKA_CONFIG names."
            )
        if time.monotonic() > end:
            raise LabError(
                f"EVENTLAB_KAFKA names {bootstrap()}, but no broker there answered "
                f"({said[0].str() if said else last.str()}). Check the address and EVENTLAB_KAFKA_CONFIG (TLS, SASL), "
                "or unset EVENTLAB_KAFKA to use the lab's own brokers."
            )
