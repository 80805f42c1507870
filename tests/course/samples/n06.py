"""What lesson 06's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.pitfalls import lost_update


def context(request):
    url = request.getfixturevalue("postgres_server")
    return {"stale": lost_update.paused(url, way="Redis lock", rounds=1)}


def wrong(values):
    steps = list(values["stale"].table()["does"])
    second = len(steps) - steps[::-1].index("has the lock")  # the right answer
    return {
        "a": [1, 2, second - 1, second + 1, len(steps), 0, len(steps) + 1, "writer 2", True],
        "b": [
            "UPDATE accounts SET minor = :minor WHERE name = :name",
            "UPDATE accounts SET minor = :minor WHERE name = :name AND version = :version",
            "UPDATE accounts SET minor = :minor, version = version + 1 WHERE name = :name",
            "UPDATE accounts SET minor = :minor, version = version + 1 WHERE version = :version",
            "UPDATE accounts SET minor = :minor, version = version + 1 WHERE name = :name AND version > :version",
            "UPDATE accounts SET minor = :minor, version = 6 WHERE name = :name AND version = :version",
            "UPDATE accounts SET minor = :minor, version = version + 1",
            "UPDATE accounts SET version = version + 1 WHERE name = :name AND version = :version",
            "UPDATE account SET minor = :minor",
            "DELETE FROM accounts",
            5,
        ],
        "c": [_once, _never_reads_again, _new_version_old_balance, _twice, lambda read, write, amount: read(), 600],
        "d": [
            "UPDATE accounts SET minor = minor - :amount WHERE name = :name",
            "UPDATE accounts SET minor = minor - :amount WHERE name = :name AND minor > :amount",
            "UPDATE accounts SET minor = minor - :amount WHERE minor >= :amount",
            "UPDATE accounts SET minor = max(0, minor - :amount) WHERE name = :name",
            "UPDATE accounts SET minor = minor - CASE WHEN minor < :amount THEN 0 ELSE :amount END WHERE name = :name",
            "SELECT minor FROM accounts WHERE name = :name AND minor >= :amount",
            "UPDATE accounts SET minor = minor - amount",
            300,
        ],
    }


def _once(read, write, amount):
    balance, version = read()
    write(balance + amount, version)


def _never_reads_again(read, write, amount):
    balance, version = read()
    while not write(balance + amount, version):
        pass


def _new_version_old_balance(read, write, amount):
    balance, version = read()
    while not write(balance + amount, version):
        _, version = read()


def _twice(read, write, amount):
    for _ in range(2):
        balance, version = read()
        while not write(balance + amount, version):
            balance, version = read()
