"""A cluster that the lab did not start, with TLS and SCRAM, and a user who may only what begins with the own prefix."""

import datetime
import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import javaproperties
import pytest
from click.testing import CliRunner
from confluent_kafka import Consumer, TopicPartition
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from eventlab import cluster
from eventlab.cli import main
from eventlab.cluster import LabError, NeedsEmbeddedLab, broker, elsewhere, jars, ports, processes, runtime, tools

from .labs import DEADLINE, read, write

USER, PASSWORD = "ana", "se;c=ret ü#%"
PREFIX = "team-7.ana"


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the tests' own."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls) -> "Authority":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a company's own authority")])
        return cls(key, certificate(name, name, key.public_key(), key, authority=True))

    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def server(self) -> bytes:
        """Key and certificate for 127.0.0.1, as one PEM file."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
        issued = certificate(name, self.certificate.subject, key.public_key(), self.key)
        pkcs8 = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return pkcs8 + issued.public_bytes(serialization.Encoding.PEM)


def certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    authority: bool = False,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    loopback = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ports.LOOPBACK))])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(loopback, critical=False)
        .sign(signer, hashes.SHA256())
    )


@dataclass(frozen=True)
class Elsewhere:
    """A running cluster: where, and what a client needs."""

    bootstrap: str
    authority: Path
    directory: Path

    def properties(self, name: str, settings: dict[str, str]) -> Path:
        path = self.directory / f"{name}.properties"
        path.write_text(javaproperties.dumps(settings))
        return path

    def librdkafka(self, **changes: str) -> dict[str, str]:
        return {
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(self.authority),
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": USER,
            "sasl.password": PASSWORD,
            **changes,
        }

    def java(self) -> dict[str, str]:
        return {
            "security.protocol": "SASL_SSL",
            "ssl.truststore.location": str(self.authority),
            "ssl.truststore.type": "PEM",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required "
            f'username="{USER}" password="{PASSWORD}";',
        }


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    """One broker: TLS and SCRAM for clients, and access rights."""
    directory = tmp_path_factory.mktemp("elsewhere")
    authority = Authority.create()
    (directory / "ca.pem").write_bytes(authority.pem())
    (directory / "server.pem").write_bytes(authority.server())
    tls, inner, controller = ports.choose(3)
    at = ports.LOOPBACK
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{at}:{controller}",
        "listeners": f"CLIENTS://{at}:{tls},INNER://{at}:{inner},CONTROLLER://{at}:{controller}",
        "advertised.listeners": f"CLIENTS://{at}:{tls},INNER://{at}:{inner}",
        "listener.security.protocol.map": "CLIENTS:SASL_SSL,INNER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "INNER",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": str(directory / "data"),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(directory / "server.pem"),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
    config = directory / "server.properties"
    config.write_text(javaproperties.dumps(settings))
    scram = f'SCRAM-SHA-512=[name="{USER}",password="{PASSWORD}"]'
    formatted = cluster.java(
        *("kafka.tools.StorageTool", "format", "-t", broker.random_id(), "-c", config, "--add-scram", scram),
        capture_output=True,
    )
    assert formatted.returncode == 0, formatted.stdout + formatted.stderr
    command = runtime.command("kafka.Kafka", config, flags=runtime.broker_flags(), log=directory / "broker-1.log")
    process = processes.spawn(command, directory / "broker-1.out", env=runtime.server_environment())
    try:
        layout = broker.Layout({1: (inner, controller)})
        broker.wait_until_ready({1: process}, layout, directory, DEADLINE)
        allow = ("--allow-principal", f"User:{USER}", "--resource-pattern-type", "prefixed", "--operation", "All")
        where = ("--topic", PREFIX, "--group", PREFIX, "--transactional-id", PREFIX)
        granted = cluster.java(
            *("org.apache.kafka.tools.AclCommand", "--bootstrap-server", f"{at}:{inner}", "--add", *allow, *where),
            capture_output=True,
        )
        assert granted.returncode == 0, granted.stdout + granted.stderr
        yield Elsewhere(f"{at}:{tls}", directory / "ca.pem", directory)
    finally:
        processes.stop([process], 0)


@pytest.fixture
def point(there: Elsewhere, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment of a learner who uses that cluster; there is no lab, and none may be started."""
    monkeypatch.setenv("EVENTLAB_KAFKA", there.bootstrap)
    monkeypatch.setenv("EVENTLAB_PREFIX", PREFIX)
    monkeypatch.setenv("EVENTLAB_HOME", "/proc/nowhere")
    return monkeypatch


@pytest.mark.parametrize("style", ["librdkafka", "java"])
def test_the_same_lesson_on_a_cluster_with_tls_and_scram(
    there: Elsewhere, point: pytest.MonkeyPatch, style: str
) -> None:
    point.setenv("EVENTLAB_KAFKA_CONFIG", str(there.properties(style, getattr(there, style)())))
    kafka = cluster.connect(brokers=3)
    topic = kafka.topic("orders", partitions=2)
    assert topic.startswith(PREFIX)
    write(kafka.config(), topic, ["first", "second"])
    assert sorted(read(kafka.config(), topic, 2, **{"group.id": kafka.name("group")})) == ["first", "second"]
    assert "Kafka, elsewhere" in repr(kafka)
    assert PASSWORD not in repr(kafka) + kafka._repr_html_()
    kafka.close()
    assert topic not in kafka.admin.list_topics(timeout=DEADLINE).topics


def test_experiments_on_brokers_say_that_they_need_the_lab(there: Elsewhere, point: pytest.MonkeyPatch) -> None:
    point.setenv("EVENTLAB_KAFKA_CONFIG", str(there.properties("right", there.librdkafka())))
    kafka = cluster.connect()
    with pytest.raises(NeedsEmbeddedLab, match="unset EVENTLAB_KAFKA"):
        kafka.brokers[0].kill()


def test_kafkas_own_tools_log_in_too(
    there: Elsewhere, point: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    point.setenv("EVENTLAB_KAFKA_CONFIG", str(there.properties("right", there.librdkafka())))
    kafka = cluster.connect()
    topic = kafka.topic("orders")
    assert tools.run("topics", ["--list"]) == 0
    assert topic in capfd.readouterr().out.split()
    kafka.close()


def test_what_the_user_may_not_is_said(there: Elsewhere, point: pytest.MonkeyPatch) -> None:
    point.setenv("EVENTLAB_KAFKA_CONFIG", str(there.properties("right", there.librdkafka())))
    point.setenv("EVENTLAB_PREFIX", "team-8")
    with pytest.raises(LabError, match=r"did not create the topic team-8\..*[Aa]uthorization"):
        cluster.connect().topic("orders")


def test_groups_that_the_user_may_not_describe(
    there: Elsewhere, point: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    point.setenv("EVENTLAB_KAFKA_CONFIG", str(there.properties("right", there.librdkafka())))
    kafka = cluster.connect()
    topic = kafka.topic("mine")
    consumer = Consumer(kafka.config(**{"group.id": kafka.name("mine")}))
    consumer.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)
    consumer.close()
    mine = CliRunner().invoke(main, ["groups"])
    assert mine.exit_code == 0
    assert f"{topic} " in mine.stdout
    foreign = CliRunner().invoke(main, ["groups", "somebody.else"])
    assert foreign.exit_code == 2
    assert foreign.stderr.startswith("eventlab: You may not look at the group somebody.else (")


def wrong_password(there: Elsewhere) -> dict[str, str]:
    return there.librdkafka(**{"sasl.password": "wrong"})


def wrong_authority(there: Elsewhere) -> dict[str, str]:
    stranger = there.directory / "stranger.pem"
    stranger.write_bytes(Authority.create().pem())
    return there.librdkafka(**{"ssl.ca.location": str(stranger)})


def missing_authority(there: Elsewhere) -> dict[str, str]:
    return there.librdkafka(**{"ssl.ca.location": str(there.directory / "nothing.pem")})


def unknown_property(there: Elsewhere) -> dict[str, str]:
    return there.librdkafka(**{"ssl.protocols": "TLSv1.3"})


def bad_value(there: Elsewhere) -> dict[str, str]:
    return there.librdkafka(**{"security.protocol": "SSL_SASL"})


def key_store(there: Elsewhere) -> dict[str, str]:
    return {"security.protocol": "SSL", "ssl.truststore.location": "trust.jks", "ssl.truststore.password": "x"}


def no_tls(there: Elsewhere) -> dict[str, str]:
    return {"security.protocol": "PLAINTEXT"}


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (wrong_password, r"refused the login: .*uthentication.*Check user, password and mechanism"),
        (wrong_authority, r"No TLS connection to 127.*certificate.*ssl\.ca\.location"),
        (missing_authority, r"missing_authority\.properties: .*ssl\.ca\.location.*Correct that line"),
        (unknown_property, r"unknown_property\.properties: .*\"ssl\.protocols\".*Correct that line"),
        (bad_value, r"bad_value\.properties: .*\"security\.protocol\".*Correct that line"),
        (key_store, r"key_store\.properties: ssl\.truststore\.location is a Java key store.*PEM"),
        (no_tls, r"no broker there answered .*EVENTLAB_KAFKA_CONFIG \(TLS, SASL\)"),
    ],
)
def test_a_mistake_in_the_settings_is_named(
    there: Elsewhere, point: pytest.MonkeyPatch, mistake: object, message: str
) -> None:
    assert callable(mistake)
    path = there.properties(mistake.__name__, mistake(there))
    point.setenv("EVENTLAB_KAFKA_CONFIG", str(path))
    point.setattr(elsewhere, "_ANSWER_SECONDS", 1)
    with pytest.raises(LabError, match=f"(?s){message}") as caught:
        cluster.connect()
    assert "sasl.password" not in str(caught.value)
    ill = [finding for finding in cluster.doctor() if finding.what == "EVENTLAB_KAFKA"]
    assert [finding.well for finding in ill] == [False]


def test_the_file_with_the_settings_is_not_there(there: Elsewhere, point: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "nothing.properties", tmp_path, tmp_path / "binary"):
        point.setenv("EVENTLAB_KAFKA_CONFIG", str(path))
        with pytest.raises(LabError, match=r"EVENTLAB_KAFKA_CONFIG: .* cannot be read .*Name a properties file"):
            cluster.connect()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nowhere.invalid:9092"])
def test_nobody_answers_at_that_address(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("EVENTLAB_KAFKA", address)
    monkeypatch.setattr(elsewhere, "_ANSWER_SECONDS", 1)
    with pytest.raises(LabError, match=r"EVENTLAB_KAFKA names .*no broker.*unset EVENTLAB_KAFKA"):
        cluster.connect()


def test_something_else_listens_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as silent:
        monkeypatch.setenv("EVENTLAB_KAFKA", f"{ports.LOOPBACK}:{silent.getsockname()[1]}")
        monkeypatch.setattr(elsewhere, "_ANSWER_SECONDS", 1)
        with pytest.raises(LabError, match="no broker there answered"):
            cluster.connect()


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(user=TEXT, password=TEXT, authority=TEXT, mechanism=st.sampled_from(["PLAIN", "SCRAM-SHA-256"]))
def test_javas_names_and_librdkafkas_say_the_same(user: str, password: str, authority: str, mechanism: str) -> None:
    """Whatever signs are in a password, Java's file and back gives the same settings."""
    settings = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": mechanism,
        "sasl.username": user,
        "sasl.password": password,
        "ssl.ca.location": authority,
        "ssl.endpoint.identification.algorithm": "none",
    }
    java = javaproperties.loads(elsewhere.java_properties({**settings, "bootstrap.servers": "somewhere:9092"}))
    assert elsewhere.from_java(java, Path("client.properties")) == settings


def test_a_client_certificate_is_found_in_either_form(tmp_path: Path) -> None:
    for name in ("key", "certificate"):
        (tmp_path / name).write_text(f"the {name}")
    settings = {"ssl.key.location": str(tmp_path / "key"), "ssl.certificate.location": str(tmp_path / "certificate")}
    java = javaproperties.loads(elsewhere.java_properties(settings))
    assert java == {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.key": "the key",
        "ssl.keystore.certificate.chain": "the certificate",
    }
    both = {"ssl.keystore.type": "PEM", "ssl.keystore.location": "both.pem"}
    assert elsewhere.from_java(both, tmp_path) == {
        "ssl.certificate.location": "both.pem",
        "ssl.key.location": "both.pem",
    }


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"ssl.ca.location": "nothing.pem"}, r"ssl\.ca\.location: \S+nothing\.pem .*No such file.*Name a PEM file"),
        ({"ssl.ca.location": "words.pem"}, r"ssl\.ca\.location: \S+words\.pem cannot be used"),
        ({"ssl.keystore.location": "words.pem", "ssl.keystore.type": "PEM"}, r"words\.pem cannot be used together"),
        (
            {"ssl.certificate.location": "mine.pem", "ssl.key.location": "theirs.pem"},
            r"\S+mine\.pem and \S+theirs\.pem cannot be used together .*mismatch.*Name PEM files",
        ),
    ],
)
def test_tools_name_a_certificate_that_java_would_stumble_over(
    files: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "words.pem").write_text("not a certificate")
    for name in ("mine.pem", "theirs.pem"):
        (tmp_path / name).write_bytes(Authority.create().server())
    settings = {name: str(tmp_path / file) if file.endswith(".pem") else file for name, file in files.items()}
    (tmp_path / "kafka.properties").write_text(javaproperties.dumps({"security.protocol": "SSL", **settings}))
    monkeypatch.setenv("EVENTLAB_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("EVENTLAB_KAFKA_CONFIG", str(tmp_path / "kafka.properties"))
    with pytest.raises(LabError, match=message):
        tools.run("topics", ["--list"])


def test_tools_without_a_cluster(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTLAB_HOME", str(home))
    with pytest.raises(LabError, match=r"`eventlab up` starts one; EVENTLAB_KAFKA"):
        tools.run("topics", ["--list"])


def test_tools_are_unchanged(lab: object, capfd: pytest.CaptureFixture[str]) -> None:
    assert tools.run("topics", ["--describe", "--topic", "no-such-topic"]) == 1
    assert "does not exist" in capfd.readouterr().out
    assert tools.run("topics", ["--version"]) == 0
    assert capfd.readouterr().out.startswith(jars.kafka_version())


@pytest.mark.parametrize("what", ["ssl.certificate.location", "ssl.key.location"])
def test_a_certificate_that_cannot_be_read_is_named(what: str, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=rf"{what}: .*nothing\.pem cannot be read .*Name a PEM file"):
        elsewhere.to_java({what: str(tmp_path / "nothing.pem")})
