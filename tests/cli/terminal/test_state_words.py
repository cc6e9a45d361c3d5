from watcher.model.account_health import AccountState, ReadOutcome
from watcher.model.alert import AlertState
from watcher.model.change import ChangeKind
from watcher.views.words import account_text, alert_text, kind_text, outcome_text


def test_every_state_outcome_and_kind_has_words() -> None:
    words = {
        *map(account_text, AccountState),
        *map(outcome_text, ReadOutcome),
        *map(alert_text, AlertState),
        *map(kind_text, ChangeKind),
    }
    assert all(text and "_" not in text for text in words)
