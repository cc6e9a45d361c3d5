"""The base of every section of the configuration."""

from types import NoneType

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from watcher.messages import _
from watcher.settings.faults import types_within


class Section(BaseModel):
    """A part of the configuration. Unknown keys are faults, and errors never show values."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        defer_build=True,  # many sections are never used
    )

    @field_validator("*", mode="before")
    @classmethod
    def _check_type(cls, value: object, info: ValidationInfo) -> object:
        """Require TOML's own types; pydantic would also accept "yes" as true, and true as 1."""
        expected = set(types_within(cls.model_fields[info.field_name or ""].annotation)) - {NoneType}
        if expected == {bool} and not isinstance(value, bool | None):
            raise ValueError(_("must be true or false, without quotes"))
        if expected == {int} and (isinstance(value, bool) or not isinstance(value, int | None)):
            raise ValueError(_("must be a whole number, without quotes"))
        if expected == {float} and (isinstance(value, bool) or not isinstance(value, int | float | None)):
            raise ValueError(_("must be a number, without quotes"))
        return value
