from tests.portals.context import InMemorySession
from watcher.reading.session_of_check import SessionOfCheck


def test_session_is_loaded_replaced_and_deleted() -> None:
    saved = InMemorySession(b"first")
    session = SessionOfCheck(saved)
    assert session.load() == b"first"
    for content in (b"second", b"third"):
        session.save(content)
        assert saved.content == content
    session.delete()
    assert saved.content is None
    session.save(b"fourth")
    assert saved.content == b"fourth"


def test_session_that_another_machine_has_saved_meanwhile_is_kept() -> None:
    saved = InMemorySession(b"first")
    session, other = SessionOfCheck(saved), SessionOfCheck(saved)
    session.load()
    other.load()
    other.save(b"of the other")
    session.save(b"renewed cookies of the first")
    session.delete()
    assert saved.content == b"of the other"
    assert session.load() == b"of the other"
    session.save(b"its renewed cookies")
    assert saved.content == b"its renewed cookies"
