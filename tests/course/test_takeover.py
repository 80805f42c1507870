from eventlab.course.takeover import takeover

SESSION_MS = 2000


def test_who_says_goodbye_is_replaced_at_once_and_who_is_killed_after_its_session(kafka):
    closed = takeover(kafka, goes="closes", session_ms=SESSION_MS)
    killed = takeover(kafka, goes="killed", session_ms=SESSION_MS)
    assert closed < killed
    assert killed > 0.9 * SESSION_MS / 1000
