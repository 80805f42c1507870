from eventlab.events.envelope import StreamId
from eventlab.pitfalls.log import scan_to_load
from eventlab.pitfalls.log.scan_to_load import OF_EACH
from eventlab.store import SqlEventStore

FEW = 400


def test_both_logs_give_the_same_balance_and_a_topic_gives_all_the_rest_beside(kafka):
    topic, store = (scan_to_load.run(kafka, log=log, events=FEW) for log in ("topic", "event store"))
    assert topic.workload == store.workload
    assert topic.own == OF_EACH
    assert topic.balance.minor > 0
    assert (topic.count, topic.of, store.count, store.of) == (FEW - OF_EACH, FEW - OF_EACH, 0, FEW - OF_EACH)
    assert topic.bytes > 10 * store.bytes > 0


def test_the_picture_and_the_table_say_what_was_read(kafka):
    result = scan_to_load.run(kafka, events=FEW)
    assert f"{OF_EACH} of its own and {FEW - OF_EACH} of others, of {FEW} there are" in result.picture().alt
    assert result.table()[["events", "read", "of this account"]].values.tolist() == [[FEW, FEW, OF_EACH]]
    assert repr(result) == f"{FEW - OF_EACH} of {FEW - OF_EACH} events of other accounts were read to load one"


def test_in_the_topic_what_is_read_grows_in_step_with_the_log_and_in_the_store_it_stays_the_same(kafka):
    curves = scan_to_load.costs(kafka, (200, 2_000))
    assert curves.of("topic", "events read") == {200: 200, 2_000: 2_000}
    assert curves.of("event store", "events read") == {200: OF_EACH, 2_000: OF_EACH}
    assert [curves.slope(way, "bytes read") for way in curves.ways] == [1.0, 0.0]


def explained(store, query):
    with store.engine.connect() as connection:
        return [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]


def test_the_store_looks_an_account_up_and_does_not_scan_for_it(sqlite_url):
    """It hands over no other events, and it does not go through them inside either."""
    store = SqlEventStore(sqlite_url)
    asked: list[str] = []
    connection = store.engine.raw_connection()
    connection.set_trace_callback(asked.append)
    connection.close()
    list(store.read(StreamId("account", "1")))
    plan = [step for query in asked if "FROM events" in query for step in explained(store, query)]
    assert plan
    store.close()
    assert all(step.startswith("SEARCH events USING") and "(stream=? " in step for step in plan), plan
