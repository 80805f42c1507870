from typing import get_args

import pytest

from eventlab.cluster import Kafka
from eventlab.pitfalls.log import topic_per_entity
from eventlab.pitfalls.log.topic_per_entity import FILES, MEMORY, METADATA, OPEN, Home

FEW = 6


@pytest.fixture(scope="module")
def kept(kafka):
    return {home: topic_per_entity.run(kafka, home=home, accounts=FEW) for home in get_args(Home)}


def test_each_account_costs_a_log_of_which_files_are_open_and_a_place_in_what_every_client_is_told(kept):
    costs = kept["topic per account"].costs
    assert (costs["logs"], costs[OPEN]) == (FEW, FEW)
    assert costs[FILES] >= 5 * FEW, "segment, two indexes, checkpoint of leader epochs, partition.metadata"
    assert costs[METADATA] > 80 * FEW


def test_in_one_topic_they_share_a_log_and_in_the_store_they_cost_the_cluster_nothing(kept):
    assert (kept["one topic"].logs, kept["one topic"].costs[OPEN]) == (1, 1)
    assert (kept["event store"].logs, kept["event store"].costs[METADATA]) == (0, 0)
    assert kept["event store"].costs[FILES] < FEW


def test_the_accounts_are_there_in_all_of_them(kept):
    assert {each.workload for each in kept.values()} == {(FEW, FEW)}


def test_it_leaves_no_topic_behind(kafka):
    before = set(kafka.admin.list_topics(timeout=10).topics)
    topic_per_entity.run(kafka, accounts=2)
    left = set(kafka.admin.list_topics(timeout=10).topics) - before
    assert not [name for name in left if "accounts-" in name]


def test_of_a_cluster_elsewhere_only_the_logs_are_known(kafka):
    elsewhere = Kafka(kafka.config(), None)
    found = topic_per_entity.run(elsewhere, accounts=2)
    assert (found.logs, found.beside) == (2, {})
    assert "accounts 2, logs 2." in found.picture().alt


def test_the_curves_have_all_of_it(kafka):
    curves = topic_per_entity.costs(kafka, (2, 4))
    assert curves.slope("topic per account", "logs") == 1.0
    assert curves.slope("one topic", "logs") == 0.0
    assert {FILES, OPEN, METADATA, MEMORY} < set(curves.table().columns)


def test_it_says_what_is_kept_in_words(kept):
    assert repr(kept["one topic"]) == f"1 of {FEW} accounts cost the cluster one more log"
    assert f"with topic per account: accounts {FEW}, logs {FEW}, files" in kept["topic per account"].picture().alt
