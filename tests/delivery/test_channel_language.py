"""Everything that a channel gets is in its own language."""

from dataclasses import astuple, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.years.household import NIGHT, PhoneMessage, household
from watcher.errors import UnexpectedAnswer
from watcher.model.case import ItemKind, PendingItem, Stage

_RFE = PendingItem(key="rfe", kind=ItemKind.RFE, title="Evidence", due_on=date(2026, 12, 30))
_CHANNELS: dict[str, dict[str, Any]] = {
    "phone": {"min_severity": "routine", "quiet_hours": "22:00-07:00", "max_per_hour": 2},
    "digest": {"min_severity": "routine", "digest": "daily 08:00", "detail": "full"},
    "lawyer": {"escalate_after": "2h", "privacy": "masked"},
    "sms": {"privacy": "minimal"},
}


def messages(folder: Path, *, general: str, channel: str) -> list[PhoneMessage]:
    """Return what arrives of a first contact, a request, its reminder, a flood, blindness, and its end."""
    channels = {name: rules | {"language": channel} for name, rules in _CHANNELS.items()}
    with household(folder, channels, now=NIGHT, language=general) as family:
        cases = [replace(family.case, case_number=f"IOE00000{index:05}") for index in range(1, 5)]
        family.check(*cases)
        family.advance(days=1)
        cases[0] = replace(cases[0], stage=Stage.EVIDENCE_REQUESTED, pending=(_RFE,))
        family.check(*cases)
        family.advance(days=1).check(*[replace(case, status="Other words for the same") for case in cases])
        family.advance_to(datetime(2026, 12, 16, 17, tzinfo=UTC)).record_time_reminders()
        for _ in range(2):
            family.fail(UnexpectedAnswer("the page had another shape"))
            family.advance(days=2)
        family.check(*cases)
        family.advance(days=2)
        return sorted(family.phones.messages, key=astuple)


@pytest.mark.parametrize(("general", "language"), [("en", "es"), ("fr", "en")])
def test_channel_gets_the_texts_of_an_installation_in_its_language(tmp_path: Path, general: str, language: str) -> None:
    of_channel = messages(tmp_path / "channel", general=general, channel=language)
    assert of_channel == messages(tmp_path / "general", general=language, channel="")
    assert {message.channel for message in of_channel} == set(_CHANNELS)
