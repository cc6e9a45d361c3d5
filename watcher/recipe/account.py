"""The account of the portal `recipe`. Its recipe, which is loaded and checked with its settings, says what it needs."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator

from watcher.clock.durations import format_duration
from watcher.http.hosts import host_of, is_loopback
from watcher.messages import _, mark, shown
from watcher.recipe.given_parameters import GivenParameters, GivenValue, secret_parameter_keys
from watcher.recipe.model import Recipe
from watcher.recipe.parameters import ParameterValues, plain_value
from watcher.recipe.parse.about import matches_number
from watcher.recipe.parse.check import RecipeFaults, load_recipe
from watcher.recipe.parse.shipped import find_recipe, recipe_name
from watcher.settings import AccountSettings
from watcher.settings.faults import missing_secret_text
from watcher.settings.logins import login_id
from watcher.sign_in.mailbox import MailboxSettings


class RecipeAccount(AccountSettings):
    """The configuration `[accounts.NAME]` with `portal = "recipe"`.

    `parameters` are values of the recipe's parameters, and `case_parameters` those of one case, by its number.
    `totp_secret` supplies {totp} and {code}. Without it, `mailbox` does, or a person with `mfa = "prompt"`.
    """

    recipe: Path
    username: str = Field(default="", max_length=256)
    password: SecretStr | None = None
    mfa: Literal["totp", "email", "prompt", "none"] = "prompt"
    totp_secret: SecretStr | None = None
    mailbox: MailboxSettings | None = None
    parameters: dict[str, GivenValue] = Field(default_factory=dict)
    case_parameters: dict[str, dict[str, GivenValue]] = Field(default_factory=dict)

    _recipe: Recipe = PrivateAttr()

    @field_validator("recipe")
    @classmethod
    def _find_recipe(cls, value: Path) -> Path:
        file = find_recipe(value)
        load_recipe(file)
        return file

    @model_validator(mode="after")
    def _read_recipe(self) -> Self:
        self._recipe = load_recipe(self.recipe)
        faults = [*self._missing_keys(), *self._odd_numbers(), *self._given.faults()]
        self._hide_secrets()
        if faults:
            raise ValueError("\n".join(faults))
        if self.every is not None and self.every < self.min_every:
            text = _(
                'the recipe {recipe} allows at most one check every {shortest}; write every = "{shortest}"',
                recipe=recipe_name(self.recipe),
                shortest=format_duration(self.min_every),
            )
            raise ValueError(text)
        return self

    def _missing_keys(self) -> Iterator[str]:
        """Yield a fault for each key that the recipe needs and that is missing."""
        names, recipe = self._recipe.placeholders, recipe_name(self.recipe)
        unconditional = frozenset().union(
            *(step.request.placeholders for step in self._recipe.sign_in if step.when is None)
        )
        if "username" in names and not self.username:
            yield _("the recipe {recipe} needs username", recipe=recipe)
        if "password" in names and self.password is None:
            yield self._missing_secret("password")
        if "totp" in unconditional and self.totp_secret is None:
            yield self._missing_secret("totp_secret")
        if self._recipe.needs_numbers and not self.cases:
            text = mark("the recipe {recipe} needs cases (because it does not list them)")
            if self._recipe.cases is not None:
                text = mark("the recipe {recipe} needs cases (because it looks for them by number)")
            yield _(text, recipe=recipe)
        if self._recipe.case.single and len(self.cases) > 1:
            yield _("the recipe {recipe} reads one case for each account; write a section for each", recipe=recipe)

    def _odd_numbers(self) -> Iterator[str]:
        """Yield a fault for each case number that this website cannot have."""
        about = self._recipe.about
        for number in self.cases:
            if not matches_number(about, number):
                means = shown(about.number or about.number_pattern)
                yield _("cases: {number} is not a case number of this website: {means}", number=number, means=means)

    @classmethod
    def secret_keys_of(cls, keys: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
        """Yield the keys of the secret parameters of the account's recipe."""
        path = keys.get("recipe")
        with suppress(RecipeFaults):
            if isinstance(path, Path):
                yield from secret_parameter_keys(load_recipe(find_recipe(path)).parameters, keys)

    @property
    def _given(self) -> GivenParameters:
        return GivenParameters(
            recipe=_("the recipe {recipe}", recipe=recipe_name(self.recipe)),
            account=self.name,
            parameters=self._recipe.parameters,
            of_account=self.parameters,
            of_cases=self.case_parameters,
            cases=self.cases,
        )

    def _hide_secrets(self) -> None:
        """Let the values of secret parameters that are written in the configuration be secrets, as others are."""
        for given in (self.parameters, *self.case_parameters.values()):
            for name in given.keys() & {key for key, part in self._recipe.parameters.items() if part.secret}:
                given[name] = SecretStr(plain_value(given[name]))

    def _missing_secret(self, key: str) -> str:
        return missing_secret_text(
            _("the recipe {recipe}", recipe=recipe_name(self.recipe)), ("accounts", self.name, key)
        )

    @property
    def parsed(self) -> Recipe:
        """The loaded and checked recipe."""
        return self._recipe

    @property
    def parameter_values(self) -> ParameterValues:
        """The values of the recipe's parameters."""
        return self._given.values()

    @property
    def min_every(self) -> timedelta:
        """The shortest time between two checks that the recipe allows; zero for a test server on this machine."""
        return timedelta(0) if is_loopback(host_of(self.address)) else self._recipe.min_every

    @property
    def default_every(self) -> timedelta:
        """The interval without `every`: a recipe's shortest one may be longer than the general one."""
        return self.min_every

    @property
    def address(self) -> str:
        """The portal's address: the account's `base_url`, else the recipe's."""
        return self.base_url or self._recipe.base_url

    @property
    def hosts(self) -> frozenset[str]:
        """The only hosts that requests are sent to."""
        return self._recipe.hosts | {host_of(self.address)}

    def with_recipe(self, recipe: Path) -> Self:
        """Return this account with another recipe. Raises pydantic's ValidationError if the recipe is invalid."""
        return type(self).model_validate({**dict(self), "recipe": recipe})

    def credential(self) -> str | None:
        """Return the user name with the password and the secret parameters of the sign-in; None without a secret."""
        sent, of_all = self._recipe.sign_in_parameters, self.parameter_values.of_all()
        secrets = [of_all[name] for name in sent if name in of_all and self._recipe.parameters[name].secret]
        passwords = [] if self.password is None else [self.password.get_secret_value()]
        return "\n".join((self.username, *passwords, *secrets)) if passwords or secrets else None

    def login(self) -> str | None:
        """Return the login of the user name, or of the password alone; None if the recipe sends neither."""
        is_used = self.username or self.password is not None
        return login_id(self.portal, self.address, self.username) if is_used else None
