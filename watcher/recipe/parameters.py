"""What a recipe needs of the user besides user name, password, and case numbers: `[parameters]`. Pure.

A value is given for the whole account, or for one case, which takes precedence. A secret one, such as the code in a
link, is as secret as a password.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from watcher.messages import Words
from watcher.recipe.page.patterns import compile_pattern
from watcher.text.case_numbers import normalized_number

Given = Mapping[str, str | SecretStr]
"""The values that an account gives, by name of the parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter. `ask` is what to ask a person for.

    `per_case`: every case has its own value. `default` is the value if none is given; None if one is required.
    `pattern` is what a whole value must match.
    """

    name: str
    ask: Words
    secret: bool = False
    per_case: bool = False
    default: str | None = None
    pattern: str = ""

    @property
    def key(self) -> str:
        """The key of an account that gives the value."""
        return f"case_parameters.NUMBER.{self.name}" if self.per_case else f"parameters.{self.name}"

    def accepts(self, value: str) -> bool:
        """Return whether a value has the form that the recipe states, if it states one."""
        if not value.strip() or not value.isprintable():
            return False
        return not self.pattern or compile_pattern(f"^(?:{self.pattern})$").search(value) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterValues:
    """The values of one account: of all its cases, and of single ones by `normalized_number`."""

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    of_account: Given = field(default_factory=dict, repr=False)
    of_cases: Mapping[str, Given] = field(default_factory=dict, repr=False)

    def of_all(self) -> dict[str, str]:
        """Return the values that hold for all cases, without those that only single cases have."""
        given = {name: plain_value(value) for name, value in self.of_account.items()}
        defaults = {name: part.default for name, part in self.parameters.items() if part.default is not None}
        return {**defaults, **given}

    def of_case(self, case_number: str) -> dict[str, str]:
        """Return the values for one case that are not those of all cases."""
        given = self.of_cases.get(normalized_number(case_number), {})
        return {name: plain_value(value) for name, value in given.items()}

    def secrets(self) -> Iterator[str]:
        """Yield every secret value."""
        for given in (self.of_account, *self.of_cases.values()):
            yield from (plain_value(value) for name, value in given.items() if self.parameters[name].secret)


def plain_value(value: str | SecretStr) -> str:
    """Return a value as it is sent."""
    return value if isinstance(value, str) else value.get_secret_value()
