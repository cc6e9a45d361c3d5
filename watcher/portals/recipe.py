"""The portal `recipe`: any site that a recipe describes; see `watcher.recipe`.

What the account needs, its links, and the shortest interval depend on the recipe, which is loaded and checked together
with the account's settings.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, PrivateAttr, SecretStr, field_validator, model_validator

from watcher.clock.durations import format_duration
from watcher.http.hosts import host_of, is_loopback
from watcher.messages import Words, _, mark, shown
from watcher.model.alert import Links
from watcher.portal import Portal, PortalContext, Question, Reader, Variant
from watcher.recipe.model import Recipe, comparable_text
from watcher.recipe.parse.about import matches_number
from watcher.recipe.parse.check import MIN_EVERY, load_recipe
from watcher.recipe.parse.shipped import FOLDER, find_recipe, recipe_name, shipped_names
from watcher.recipe.run.snapshot import VOCABULARY, read
from watcher.settings import AccountSettings
from watcher.settings.faults import missing_secret_text
from watcher.settings.logins import login_id
from watcher.sign_in.mailbox import MailboxSettings

if TYPE_CHECKING:
    from watcher.recipe.run.reader import RecipeReader
    from watcher.recipe.run.visit import Visit
    from watcher.recipe.workshop.selector_report import SelectorResult


class RecipeAccount(AccountSettings):
    """The configuration `[accounts.NAME]` with `portal = "recipe"`.

    `totp_secret` supplies {totp} and {code}. Without it, `mailbox` does, or a person with `mfa = "prompt"`.
    """

    recipe: Path
    username: str = Field(default="", max_length=256)
    password: SecretStr | None = None
    mfa: Literal["totp", "email", "prompt", "none"] = "prompt"
    totp_secret: SecretStr | None = None
    mailbox: MailboxSettings | None = None

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
        faults = [*self._missing_keys(), *self._odd_numbers()]
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
        if self._recipe.cases is None and not self.cases:
            yield _("the recipe {recipe} needs cases (because it does not list them)", recipe=recipe)

    def _odd_numbers(self) -> Iterator[str]:
        """Yield a fault for each case number that this website cannot have."""
        about = self._recipe.about
        for number in self.cases:
            if not matches_number(about, number):
                means = shown(about.number or about.number_pattern)
                yield _("cases: {number} is not a case number of this website: {means}", number=number, means=means)

    def _missing_secret(self, key: str) -> str:
        return missing_secret_text(
            _("the recipe {recipe}", recipe=recipe_name(self.recipe)), ("accounts", self.name, key)
        )

    @property
    def parsed(self) -> Recipe:
        """The loaded and checked recipe."""
        return self._recipe

    @property
    def min_every(self) -> timedelta:
        """The shortest time between two checks that the recipe allows; zero for a test server on this machine."""
        return timedelta(0) if is_loopback(host_of(self.address)) else self._recipe.min_every

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
        """Return the user name and the password; None without a password."""
        return None if self.password is None else f"{self.username}\n{self.password.get_secret_value()}"

    def login(self) -> str | None:
        """Return the login of the user name, or of the password alone; None if the recipe sends neither."""
        is_used = self.username or self.password is not None
        return login_id(self.portal, self.address, self.username) if is_used else None


@contextmanager
def _open_visit(account: RecipeAccount, context: PortalContext) -> Iterator[tuple["Visit", "RecipeReader"]]:
    # Imported here so that commands that only read the settings do not load the HTTP library.
    from watcher.http.client import PortalHttp  # noqa: PLC0415
    from watcher.recipe.run.reader import RecipeReader  # noqa: PLC0415
    from watcher.recipe.run.session import load_session, owner_of  # noqa: PLC0415
    from watcher.recipe.run.visit import Login, Visit  # noqa: PLC0415

    recipe = account.parsed
    session = load_session(
        context.session.load(),
        owner=owner_of(account.address, account.username),
        hosts=account.hosts,
        now=context.clock.now(),
    )
    password = account.password.get_secret_value() if account.password else ""
    with PortalHttp(
        portal=recipe.name,
        hosts=account.hosts,
        origins=(account.address, *recipe.addresses),
        clock=context.clock,
        stop=context.stop,
        trace=context.trace,
        ca_file=account.ca_file,
        cookies=session.cookies,
    ) as http:
        login = Login(base_url=account.address, username=account.username, password=password)
        visit = Visit(recipe, login, context, http=http, session=session)
        yield visit, RecipeReader(recipe, visit, context, cases=account.cases)


@contextmanager
def _open(account: RecipeAccount, context: PortalContext) -> Iterator[Reader]:
    with _open_visit(account, context) as (_, reader):
        yield reader


def try_recipe(account: RecipeAccount, context: PortalContext) -> Iterator["SelectorResult"]:
    """Sign in again, list and read the first cases, and yield the result of each of the recipe's selectors.

    An error that ends the check is the last result. For another recipe, pass `account.with_recipe(path)`.
    """
    from watcher.recipe.workshop.workshop import Workshop  # noqa: PLC0415 - as above

    with _open_visit(account, context) as (visit, reader):
        yield from Workshop(account.parsed, visit, reader).walk()


def _links(account: RecipeAccount) -> Links:
    """Return the recipe's links. Those to the recipe's own address lead to that of the account."""
    links = account.parsed.links
    return Links(
        sign_in=_at_account(account, links.sign_in),
        help=_at_account(account, links.help),
        reset=_at_account(account, links.reset) if links.reset else None,
    )


def _at_account(account: RecipeAccount, link: str) -> str:
    own = account.parsed.base_url
    return account.address + link.removeprefix(own) if link == own or link.startswith(f"{own}/") else link


def _agency(account: RecipeAccount) -> str:
    return account.parsed.name


def _session_hosts(account: RecipeAccount) -> frozenset[str]:
    return account.hosts


def _origins(account: RecipeAccount) -> tuple[str, ...]:
    return (account.address,)


_MADE_UP = mark("made-up answers in the shapes that public programs read; never tried on the live website by us")
_COLLECTIONS = (("pending", mark("pending items")), ("notices", mark("letters")), ("history", mark("history")))


def _variants() -> Sequence[Variant]:
    return [_variant(name) for name in shipped_names()]


def _variant(name: str) -> Variant:
    recipe = load_recipe(FOLDER / f"{name}.toml")
    case, about = recipe.case, recipe.about
    dates = [mark("dates")] if case.fields.keys() & {"status_since", "submitted_on", "updated_at"} else []
    needs: list[tuple[str, str | Words]] = [("username", about.username)] if "username" in recipe.placeholders else []
    needs += [("password", mark("password"))] if "password" in recipe.placeholders else []
    needs += [("cases", about.number)] if recipe.cases is None else []
    return Variant(
        name=name,
        country=about.country,
        title=about.title,
        needs=tuple(needs),
        sees=(mark("status"), mark("stage"), *dates, *(text for key, text in _COLLECTIONS if getattr(case, key))),
        verified=_MADE_UP,
        sources=about.sources,
    )


def _plain_status(account: RecipeAccount, status: str) -> Words:
    return account.parsed.case.plain.get(comparable_text(status), {})


_QUESTIONS = (
    Question(
        key="recipe",
        text=mark("Recipe: a name from this list, or a file of your own (`watcher recipe new FILE` creates one)"),
        required=True,
        is_path=True,
        suggests=True,
    ),
    Question(key="base_url", text=mark("Address of the website (empty: the one in the recipe)")),
    Question(
        key="ca_file",
        text=mark("CA certificate file, if that address uses a private certificate authority (empty: none)"),
        is_path=True,
        only_if=("base_url", "*"),
    ),
    Question(key="username", text=mark("User name (empty: the recipe needs none)")),
    Question(key="password", text=mark("Password (empty: the recipe needs none)"), secret=True),
    Question(key="totp_secret", text=mark("Secret key of the authenticator app (empty: none)"), secret=True),
    Question(key="cases", text=mark("Case numbers to watch (empty: all that the website lists)"), multiple=True),
)

PORTAL = Portal(
    name="recipe",
    title=mark("Any other website, described by a recipe"),
    needs=(
        mark("recipe: a name from the list below, or a file of your own"),
        mark("what the recipe uses: username, password, totp_secret"),
    ),
    sees=(
        mark("status"),
        mark("stage"),
        mark("if the recipe describes them: dates, pending items, letters, history"),
    ),
    choose_for=mark("recipe for any other website that a recipe file describes"),
    verified=mark(
        "the engine with the practice portal, Django's own sign-in (forms, CSRF, sessions), and an OpenID Connect"
        " server (oidc-provider); each recipe must be tested by its author"
    ),
    min_every=MIN_EVERY,
    links=_links,
    agency=_agency,
    account=RecipeAccount,
    open=_open,
    read=read,
    vocabulary=VOCABULARY,
    has_recordings=False,
    session_hosts=_session_hosts,
    origins=_origins,
    questions=_QUESTIONS,
    variants=_variants,
    plain_status=_plain_status,
)
