"""What lesson 00's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.course import hello


def context(request):
    kafka = request.getfixturevalue("kafka")
    topic = kafka.topic("hello")
    hello.round_trip(kafka, topic, "3 pairs of trousers")
    return {"kafka": kafka, "topic": topic, "hello": hello}


def wrong(values):
    return {
        "a": [9092, 80, "127.0.0.1", 1.5],
        "b": [0, -1, 10**6, "first"],
        "c": ["no-such-topic", values["topic"], 3],
    }
