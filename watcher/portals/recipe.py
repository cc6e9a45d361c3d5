"""The portal `recipe`: any site that a recipe describes; see `watcher.recipe`.

What the account needs, its links, and the shortest interval depend on the recipe; see `watcher.recipe.account`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from watcher.messages import Words, mark
from watcher.model.alert import Links
from watcher.portal import CaseRead, HandoverPlan, Importer, Portal, PortalContext, Question, Reader, Variant
from watcher.privacy.redaction import register_secret
from watcher.recipe.account import RecipeAccount
from watcher.recipe.model import comparable_status
from watcher.recipe.parse.check import MIN_EVERY, load_recipe
from watcher.recipe.parse.handover_table import is_plain
from watcher.recipe.parse.shipped import FOLDER, shipped_names
from watcher.recipe.questions import further_questions
from watcher.recipe.run.fields import VOCABULARY
from watcher.recipe.run.snapshot import read

if TYPE_CHECKING:
    from watcher.recipe.run.reader import RecipeReader
    from watcher.recipe.run.visit import Visit
    from watcher.recipe.workshop.selector_report import SelectorResult


@contextmanager
def _open_visit(account: RecipeAccount, context: PortalContext) -> Iterator[tuple["Visit", "RecipeReader"]]:
    # Imported here so that commands that only read the settings do not load the HTTP library.
    from watcher.http.client import PortalHttp  # noqa: PLC0415
    from watcher.recipe.run.reader import RecipeReader  # noqa: PLC0415
    from watcher.recipe.run.session import load_session, owner_of  # noqa: PLC0415
    from watcher.recipe.run.visit import Login, Visit  # noqa: PLC0415

    recipe, parameters = account.parsed, account.parameter_values
    for secret in parameters.secrets():
        register_secret(secret)
    of_all = parameters.of_all()
    session = load_session(
        context.session.load(),
        owner=owner_of(
            account.address, account.username, *(of_all.get(name, "") for name in recipe.sign_in_parameters)
        ),
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
        login = Login(base_url=account.address, username=account.username, password=password, parameters=of_all)
        visit = Visit(recipe, login, context, http=http, session=session)
        yield visit, RecipeReader(recipe, visit, context, cases=account.cases, parameters=parameters)


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


def _handover(account: RecipeAccount) -> HandoverPlan | None:
    """Return the recipe's own requests that a script in the person's tab can send."""
    recipe, handover = account.parsed, account.parsed.handover
    if handover is None:
        return None
    parts = urlsplit(account.address)
    listing = _at_account(account, recipe.cases.request.address.text) if recipe.cases and handover.number else ""
    requests = [recipe.case.request, *(part.request for part in recipe.case.collections)]
    paths = [request.address.text for request in requests if request and is_plain(request, frozenset({"case_number"}))]
    own = [_at_account(account, path) for path in paths if path.startswith(("/", f"{recipe.base_url}/"))]
    base = f"{parts.scheme}://{parts.netloc}"
    return HandoverPlan(
        origin=base,
        listing=listing.removeprefix(base),
        number=handover.number,
        paths=() if handover.page else tuple(path.removeprefix(base) for path in own),
        takes_page=handover.page,
    )


def _importer(account: RecipeAccount) -> Importer | None:
    if account.parsed.handover is None:
        return None

    def read_files(files: Sequence[tuple[str, bytes]], _language: str) -> Sequence[CaseRead]:
        from watcher.recipe.workshop.handed_over import read_handed_over  # noqa: PLC0415 - loads the HTTP library

        return read_handed_over(
            account.parsed,
            files,
            base_url=account.address,
            cases=account.cases,
            parameters=account.parameter_values,
        )

    return read_files


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
    needs += [("cases", about.number)] if recipe.needs_numbers else []
    needs += [(part.key, part.ask) for part in recipe.parameters.values() if part.default is None]
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
    return account.parsed.case.plain.get(comparable_status(status), {})


_QUESTIONS = (
    Question(
        key="recipe",
        text=mark("Recipe: a name from this list, or a file of your own (`watcher recipe new FILE` creates one)"),
        required=True,
        is_path=True,
        suggests=True,
    ),
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
    importer=_importer,
    handover=_handover,
    origins=_origins,
    questions=_QUESTIONS,
    further_questions=further_questions,
    variants=_variants,
    plain_status=_plain_status,
)
