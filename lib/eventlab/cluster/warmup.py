"""One small pass over what lessons do with a broker, so that its classes get into the JVM archive."""

from eventlab.cluster.clients import admin, await_futures


def exercise(bootstrap: str) -> None:
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
