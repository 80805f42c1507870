"""docs/gallery.md: the committed table of the nightly run says what the pitfalls say, and that all of them repeat."""

from benchmarks.gallery import MOST_MINUTES, PAGE, REPEAT, known_figures, page

from eventlab.pitfalls.gallery import gallery

KNOWN = known_figures()


def test_the_page_is_what_the_figures_and_the_pitfalls_say():
    assert PAGE.read_text() == page(KNOWN), "write it again: python -m benchmarks.gallery --page"


def test_every_pitfall_was_tried_and_repeated_ten_times_out_of_ten():
    assert list(KNOWN) == list(gallery())
    for id_, found in KNOWN.items():
        assert (found["repeat"], found["repeated"]) == (REPEAT, REPEAT), id_
        assert found["broken"] > 0, id_
        assert found["cured"] == 0, id_


def test_all_of_them_once_take_no_more_than_a_coffee():
    assert sum(found["median seconds"] for found in KNOWN.values()) <= MOST_MINUTES * 60
