"""What lesson 12's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.course import searches, word_count
from eventlab.services.word_count import ADD, MOVE


def context(request):
    kafka = request.getfixturevalue("kafka")
    dead = word_count.WordCount(kafka, searches.day(kafka), "offsets first")
    dead.until(batch=4)
    dead.kill()
    return {"dead": dead, "ADD": ADD, "MOVE": MOVE}


def wrong(values):
    lag, kept = values["dead"].lag(), values["dead"].kept()
    return {
        "a": [int(lag["committed"].sum()), int(lag["lag"].sum()), int(kept["times"].sum() // 2), 200, 0, "all"],
        "b": [
            lambda service, instance: "searches",
            lambda service, instance: f"{service}-{instance}",
            lambda service, instance: f"group-{instance}",
            lambda service, instance: instance,
            "searches",
        ],
        "c": [_counts_first, _offsets_first, _never_committed, _caught, _one_statement_each, _only_counts, 0],
    }


def _counts_first(database, words, offsets):
    with database:
        database.executemany(ADD, words.items())
    with database:
        database.executemany(MOVE, offsets.items())


def _offsets_first(database, words, offsets):
    database.executemany(MOVE, offsets.items())
    database.commit()
    database.executemany(ADD, words.items())
    database.commit()


def _never_committed(database, words, offsets):
    database.executemany(ADD, words.items())
    database.executemany(MOVE, offsets.items())


def _caught(database, words, offsets):
    try:
        database.executemany(ADD, words.items())
        database.commit()
        database.executemany(MOVE, offsets.items())
    finally:
        database.commit()


def _one_statement_each(database, words, offsets):
    for word, times in words.items():
        with database:
            database.execute(ADD, (word, times))
    with database:
        database.executemany(MOVE, offsets.items())


def _only_counts(database, words, offsets):
    with database:
        database.executemany(ADD, words.items())
