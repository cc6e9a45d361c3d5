"""The parameters that an account's configuration gives: which are secret, and whether the recipe can use them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, SecretStr

from watcher.messages import _, shown
from watcher.recipe.parameters import Given, Parameter, ParameterValues, plain_value
from watcher.settings.faults import did_you_mean, missing_secret_text
from watcher.settings.key_names import KeyPath, toml_key
from watcher.text.case_numbers import normalized_number

_MAX_LENGTH = 1000
_CASES = "case_parameters"


def _checked(value: object) -> object:
    if not isinstance(value, str | SecretStr):
        raise ValueError(_('must be text in quotes, such as "text"'))
    if len(value) > _MAX_LENGTH:
        raise ValueError(_("is longer than {limit} characters", limit=_MAX_LENGTH))
    return value


GivenValue = Annotated[str | SecretStr, BeforeValidator(_checked)]
"""A value as the configuration has it: a secret one from the environment, or from a secret file, is a `SecretStr`."""


def secret_parameter_keys(parameters: Mapping[str, Parameter], keys: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the keys below an account's section that may hold a secret parameter; `keys` are not validated yet."""
    secrets = [parameter for parameter in parameters.values() if parameter.secret]
    yield from (("parameters", parameter.name) for parameter in secrets if not parameter.per_case)
    cases, given = keys.get("cases"), keys.get(_CASES)
    listed = [number for number in cases if isinstance(number, str)] if isinstance(cases, list) else []
    sections = list(given) if isinstance(given, dict) else []
    known = {normalized_number(number): number for number in [*listed, *sections]}
    yield from ((_CASES, number, parameter.name) for number in known.values() for parameter in secrets)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenParameters:
    """The parameters in the section of one account. `recipe` is what messages call the recipe."""

    recipe: str
    account: str
    parameters: Mapping[str, Parameter]
    of_account: Given
    of_cases: Mapping[str, Given]
    cases: tuple[str, ...]

    def values(self) -> ParameterValues:
        """Return the values, to be used if there are no faults."""
        of_cases = {normalized_number(number): given for number, given in self.of_cases.items()}
        return ParameterValues(parameters=self.parameters, of_account=self.of_account, of_cases=of_cases)

    def faults(self) -> Iterator[str]:
        """Yield each fault. No line shows a value."""
        yield from self._faults_of(self.of_account, ("parameters",))
        for name in self.of_account.keys() & self._named(per_case=True):
            yield _(
                '{key}: each case has its own; write it in [accounts.{account}.case_parameters."NUMBER"]',
                key=f"parameters.{name}",
                account=toml_key((self.account,)),
            )
        listed = {normalized_number(number) for number in self.cases}
        for number, given in self.of_cases.items():
            yield from self._faults_of(given, (_CASES, number))
            if normalized_number(number) not in listed:
                yield _("{key}: this number is not in cases", key=toml_key((_CASES, number)))
        if not self.cases and self._named(per_case=True):
            yield _("{recipe} needs cases, because each case has its own parameters", recipe=self.recipe)
        yield from self._missing()

    def _named(self, *, per_case: bool) -> set[str]:
        return {name for name, parameter in self.parameters.items() if parameter.per_case is per_case}

    def _faults_of(self, given: Given, within: KeyPath) -> Iterator[str]:
        for name, value in given.items():
            key, parameter = toml_key((*within, name)), self.parameters.get(name)
            if parameter is None:
                yield _(
                    "{key}: {recipe} has no such parameter; {hint}",
                    key=key,
                    recipe=self.recipe,
                    hint=did_you_mean(name, self.parameters),
                )
            elif not parameter.accepts(plain_value(value)):
                ask = shown(parameter.ask)
                yield _("{key}: this is not what is asked for: {ask}", key=key, ask=ask)

    def _missing(self) -> Iterator[str]:
        given = {normalized_number(number): set(values) for number, values in self.of_cases.items()}
        for name, parameter in self.parameters.items():
            if parameter.default is not None or name in self.of_account:
                continue
            if not self.cases:
                yield from () if parameter.per_case else (self._missing_text(parameter, ("parameters", name)),)
            lacking = [number for number in self.cases if name not in given.get(normalized_number(number), ())]
            if len(lacking) == len(self.cases) and self.cases and not parameter.per_case:
                yield self._missing_text(parameter, ("parameters", name))
            else:
                yield from (self._missing_text(parameter, (_CASES, number, name)) for number in lacking)

    def _missing_text(self, parameter: Parameter, key_path: KeyPath) -> str:
        key, ask = toml_key(key_path), shown(parameter.ask)
        if parameter.secret:
            return f"{missing_secret_text(self.recipe, ('accounts', self.account, *key_path))} ({key}: {ask})"
        return _("{recipe} needs {key}: {ask}", recipe=self.recipe, key=key, ask=ask)
