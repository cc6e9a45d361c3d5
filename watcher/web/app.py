"""The page's application: its routes read like the list of its pages."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from watcher.errors import StoreUnusable
from watcher.web import account, case, overview, problems
from watcher.web.context import WebContext
from watcher.web.forms import action
from watcher.web.language import LanguageMiddleware


def create_app(context: WebContext) -> Starlette:
    """Return the application for one configuration."""
    app = Starlette(
        routes=[
            Route("/", overview.show, name="overview"),
            Route("/seen", action(overview.mark_seen, changes=False), methods=["POST"], name="mark_seen"),
            Route("/cases/{id}", case.show, name="case"),
            Route("/accounts/{name}", account.show, name="account"),
            Route("/accounts/{name}/check", account.check_now, methods=["POST"], name="check_now"),
            Mount("/static", StaticFiles(packages=[("watcher.web", "static")]), name="static"),
        ],
        middleware=[Middleware(LanguageMiddleware, default=context.settings.language)],
        exception_handlers={StoreUnusable: problems.database_unusable, 404: problems.not_found},
    )
    app.state.context = context
    return app
