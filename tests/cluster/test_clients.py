"""What clients do when brokers come and go: here without any, since the moment is a matter of milliseconds."""

from concurrent.futures import Future

import pytest
from confluent_kafka import KafkaError, KafkaException

from eventlab.cluster.clients import create_topic


class Admin:
    """Answers one request after the other with an error, or with nothing when the topic was created."""

    def __init__(self, *codes: int | None) -> None:
        self.codes = list(codes)

    def create_topics(self, wanted: list[str], operation_timeout: float) -> dict[str, "Future[None]"]:
        answer: Future[None] = Future()
        code = self.codes.pop(0)
        answer.set_result(None) if code is None else answer.set_exception(KafkaException(KafkaError(code)))
        return dict.fromkeys(wanted, answer)


@pytest.mark.parametrize("then", [None, KafkaError.TOPIC_ALREADY_EXISTS])
def test_it_asks_again_when_the_client_forgot_whom_it_had_asked(then: int | None) -> None:
    admin = Admin(KafkaError._DESTROY_BROKER, then)
    create_topic(admin, "orders", 10)
    assert admin.codes == []


@pytest.mark.parametrize("code", [KafkaError.TOPIC_ALREADY_EXISTS, KafkaError.INVALID_CONFIG])
def test_what_is_refused_at_once_is_refused(code: int) -> None:
    with pytest.raises(KafkaException):
        create_topic(Admin(code), "orders", 10)


def test_it_does_not_ask_for_ever() -> None:
    with pytest.raises(KafkaException):
        create_topic(Admin(KafkaError._DESTROY_BROKER), "orders", -1)
