from eventlab.pitfalls.checkers import version_gaps
from eventlab.pitfalls.producers import offset_as_version


def test_a_journal_of_one_booking_is_whole_and_every_other_one_seems_to_have_holes(kafka):
    result = offset_as_version.run(kafka)
    assert set(result.wrong) == {f"branch-{number}" for number in range(2, offset_as_version.BRANCHES + 1)}


def test_there_is_a_false_alarm_for_each_marker_that_stands_between_two_entries(kafka):
    """One booking more, one marker more; of the booking that was turned down, two entries and a marker."""
    alarms = [record.key for record in version_gaps(offset_as_version.run(kafka).history)]
    assert {branch: alarms.count(branch) for branch in set(alarms)} == {
        "branch-2": 1, "branch-3": 2, "branch-4": 3, "branch-5": 4, "branch-6": 6
    }  # fmt: skip


def test_by_its_own_numbers_every_journal_is_whole(kafka):
    result = offset_as_version.run(kafka, version="own")
    versions = {}
    for record in result.records:
        versions.setdefault(record.key, []).append(record.version)
    assert versions == {
        f"branch-{number}": list(range(1, 2 * number + 1)) for number in range(1, offset_as_version.BRANCHES + 1)
    }
