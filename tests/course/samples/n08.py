"""What lesson 08's notebook has in hand when its exercises come, and plausible wrong answers."""

from eventlab.domain.cart import QuantityChanged
from eventlab.inputs.generate import demo_carts, demo_store


def context(request):
    return {
        "url": request.getfixturevalue("postgres_server"),
        "events": list(demo_store(demo_carts(seed=8, n=100)).read_all()),
    }


def wrong(values):
    positions = [each.position for each in values["events"] if isinstance(each.event, QuantityChanged)]
    return {
        "a": [0, 1, positions[0] - 1, positions[0] + 1, positions[1], positions[-1], 10**9, "cart-1", True],
        "b": [
            "SELECT position, xid FROM events WHERE position > :position ORDER BY position",
            "SELECT position, xid FROM events WHERE (xid, position) > (:xid, :position) ORDER BY xid, position",
            """SELECT position, xid FROM events WHERE position > :position
               AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY position""",
            """SELECT position, xid FROM events WHERE position > :position
               AND xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid, position""",
            """SELECT position, xid FROM events WHERE (xid, position) > (:xid, :position)
               AND xid < pg_snapshot_xmax(pg_current_snapshot()) ORDER BY xid, position""",
            "SELECT position, xid FROM events WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) ORDER BY xid",
            "SELECT position FROM events WHERE position > :position",
            "SELECT * FROM event",
            "SELECT position, xid FROM events WHERE position > :last",
            "DELETE FROM events",
            "",
            5,
        ],
        "c": [
            lambda mark, visible, over: visible,
            lambda mark, visible, over: [each for each in visible if each not in over],
            lambda mark, visible, over: [each for place, each in enumerate(visible, mark + 1) if each == place],
            _forgets_to_move,
            _any_number_is_enough,
            lambda mark, visible, over: max(visible, default=mark),
            7,
        ],
    }


def _forgets_to_move(mark, visible, over):
    return [each for each in visible if set(range(mark + 1, each)) <= over]


def _any_number_is_enough(mark, visible, over):
    handled = []
    for each in visible:
        if each > mark + 1 and each - 1 not in over:
            break
        handled.append(each)
        mark = each
    return handled
