"""A form that was refused: shown again with what was typed, and with the reason beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The refused form. `action` is "" if none was. `item` is the item that it was about, if any.

    `confirm`: the text asks whether it is right nevertheless.
    """

    action: str = ""
    text: str = ""
    item: int = 0
    confirm: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)

    def reason(self, action: str, item: int = 0) -> str:
        """Return why this form was refused; "" if it was not."""
        return self.text if (action, item) == (self.action, self.item) else ""

    def typed(self, action: str, name: str, otherwise: str | None = None, item: int = 0) -> str:
        """Return what was typed into a field of this form if it was refused, else another text."""
        return self.fields.get(name, "") if self.reason(action, item) else otherwise or ""


NOT_FAILED = Failed()
