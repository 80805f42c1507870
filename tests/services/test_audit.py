"""What an audit and a watch say of services that are right, late, silent or dead."""

import time

import pytest

from eventlab.services.audit import Audit, Bought, Finding, rows, truth
from eventlab.services.lag import Watch, watching

TRUE = {("belt",): (3,), ("socks",): (7,)}


def finding(**changed: object) -> Finding:
    return Finding(**{"service": "stock", "state": "running", "lag": 0, "shown": TRUE, "truth": TRUE, **changed})


def test_what_a_view_says_is_right_missing_or_wrong():
    found = finding(shown={("belt",): (3,), ("hat",): (1,)})
    assert (found.right, found.missing, found.wrong) == ([("belt",)], [("socks",)], [("hat",)])
    assert not found.correct
    assert finding().correct
    table = found.table().set_index("stock")
    assert table.loc["belt"].tolist() == [3, 3]
    assert table["says"].isna().tolist() == [False, True, False]
    assert table["true"].isna().tolist() == [False, False, True]


def test_an_audit_counts_services_and_rows():
    audit = Audit(
        {
            "orders": finding(service="orders", state="dead", lag=5, shown={}),
            "stock": finding(shown={("belt",): (3,), ("socks",): (6,)}),
            "recommendations": finding(service="recommendations"),
        }
    )
    assert (audit.stopped, audit.correct, audit.count) == (1, 1, 3)
    assert "orders, dead, 5 behind: 0 right, 2 missing, 0 wrong" in audit.picture().alt
    assert audit.picture().table.to_dict("list")["wrong"] == [0, 1, 0]
    assert ">recommendations</td>" in audit._repr_html_()


def test_the_truth_of_two_orders():
    orders = {"cart-1": Bought("ana", {"socks": 2, "belt": 1}, 2890), "cart-2": Bought("ben", {"socks": 1}, 450)}
    assert truth(orders) == {
        "orders": {("cart-1",): ("ana", 3, 2890), ("cart-2",): ("ben", 1, 450)},
        "stock": {("socks",): (3,), ("belt",): (1,)},
        "recommendations": {("belt", "socks"): (1,)},
    }


def test_rows_by_their_keys():
    assert rows([("belt", "socks", 4)], 1) == {("belt", "socks"): (4,)}
    assert rows([("cart-1", "ana", 3, 2890)], 3) == {("cart-1",): ("ana", 3, 2890)}


def test_a_watch_looks_until_the_end_and_says_what_was_done():
    lags = iter([{"stock": 0}, {"stock": 9}])
    last = {"stock": 2}
    with watching(lambda: next(lags, last)) as watch:
        watch.mark("stock killed")
        end = time.monotonic() + 10
        while len(watch.looks) < 3:
            assert time.monotonic() < end
            time.sleep(0.01)
    assert watch.most("stock") == 9
    assert watch.looks[-1][1] == last
    assert "stock up to 9. stock killed after 0" in watch.picture().alt
    assert len(watch.picture().table) == len(watch.looks)


def test_a_look_that_fails_is_raised_at_the_end():
    with pytest.raises(OSError, match="gone"), watching(fails) as watch:
        assert isinstance(watch, Watch)


def fails() -> dict[str, int]:
    raise OSError("gone")
