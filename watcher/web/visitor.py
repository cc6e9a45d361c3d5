"""Who sends a request, and what they may see and change."""

from dataclasses import dataclass
from typing import Literal, Protocol

from watcher.text.person_names import normalized_name


class OfPerson(Protocol):
    """Something that may belong to a person: a case, an item."""

    @property
    def person(self) -> str | None:
        """Whose it is; None if the user has not said so."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who sends a request, as `request.state.visitor`.

    `kind` is "device" for a device that is signed in; "alert", "calendar", and "handover" for somebody who only has the
    link of an alert, the address of a calendar, or a script that hands over to `account`. `device` is the device's
    number. `alert` is the number of the alert whose link was opened; a device can open one too. `person` None stands
    for everybody's cases. `csrf` is the text for the hidden field `csrf`, the first one of every form.
    """

    kind: Literal["device", "alert", "calendar", "handover"]
    csrf: str
    device: int | None = None
    person: str | None = None
    read_only: bool = False
    alert: int | None = None
    account: str | None = None

    def may_see(self, case: OfPerson) -> bool:
        """Return whether the visitor may see a case, or an item of one."""
        if self.kind not in {"device", "calendar"}:
            return False
        return self.person is None or normalized_name(case.person or "") == normalized_name(self.person)

    @property
    def may_change(self) -> bool:
        """Whether the visitor may change anything but the alert whose link was opened."""
        return self.kind == "device" and not self.read_only

    @property
    def sees_all(self) -> bool:
        """Whether the visitor may see what belongs to no person: accounts, channels, the configuration."""
        return self.kind == "device" and self.person is None
