"""The page's application: its routes read like the list of its pages."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from watcher.errors import StoreUnusable
from watcher.web import (
    account,
    alert_link,
    alerts,
    calendar,
    case,
    case_actions,
    devices,
    hand_over_offer,
    handover,
    letters,
    overview,
    printing,
    problems,
    push,
    settings,
    sign_in,
    state,
)
from watcher.web.context import WebContext
from watcher.web.entrance import Entrance, Guard
from watcher.web.forms import action
from watcher.web.language import LanguageMiddleware
from watcher.web.security import Security


def create_app(context: WebContext, guard: Guard | None = None) -> Starlette:
    """Return the application for one configuration. `guard` is what it remembers from one request to the next."""
    app = Starlette(
        routes=[
            Route("/", overview.show, name="overview"),
            Route("/seen", action(overview.mark_seen, changes=False), methods=["POST"], name="mark_seen"),
            Route("/cases/{id}", case.show, name="case"),
            Route("/cases/{id}/dates", case_actions.show_letter_dates, name="letter_dates"),
            Route("/cases/{id}/{action}", action(case_actions.act_on_case), methods=["POST"], name="case_action"),
            Route("/items/{id:int}/{action}", action(case_actions.act_on_item), methods=["POST"], name="item"),
            Route("/letters", letters.show, name="letters"),
            Route("/letters", action(case_actions.keep_letter), methods=["POST"], name="keep_letter"),
            Route("/letters/{id:int}", letters.open_letter, name="letter"),
            Route("/alerts", alerts.show, name="alerts"),
            Route("/alerts/{id:int}", alerts.show_one, name="alert"),
            Route("/alerts/{id:int}/{action}", action(alerts.act), methods=["POST"], name="alert_action"),
            Route("/a/{token}", alert_link.show, name="alert_link"),
            Route("/a/{token}/seen", action(alert_link.mark_seen, changes=False), methods=["POST"], name="link_seen"),
            Route("/a/{token}/done", action(alert_link.mark_done, changes=False), methods=["POST"], name="link_done"),
            Route("/print/{id}", printing.show, name="print"),
            Route("/accounts/{name}", account.show, name="account"),
            Route("/accounts/{name}/handover", hand_over_offer.show, name="hand_over_offer"),
            Route("/accounts/{name}/handover", action(hand_over_offer.make), methods=["POST"], name="make_hand_over"),
            Route("/accounts/{name}/handover/end", action(hand_over_offer.end), methods=["POST"], name="end_hand_over"),
            Route("/accounts/{name}/check", action(account.check_now), methods=["POST"], name="check_now"),
            Route("/accounts/{name}/{action}", action(account.act), methods=["POST"], name="account_action"),
            Route("/calendar", calendar.show, name="calendar"),
            Route("/calendar/renew", action(calendar.renew), methods=["POST"], name="renew_calendar"),
            Route("/calendar/{token}.ics", calendar.feed, name="calendar_feed"),
            Route("/settings", settings.show, name="settings"),
            Route("/settings/device", action(settings.keep_wishes, changes=False), methods=["POST"], name="wishes"),
            Route("/settings/test/{channel}", action(settings.send_test), methods=["POST"], name="test_channel"),
            Route("/state", state.show, name="state"),
            Route("/handover/{token}", handover.show, name="handover"),
            Route("/handover/{token}", handover.take, methods=["POST"], name="take"),
            Route("/handover/{token}/session", handover.take_session, methods=["POST"], name="take_session"),
            Route("/devices", devices.show, name="devices"),
            Route("/devices/sign-out", action(devices.sign_out, changes=False), methods=["POST"], name="sign_out"),
            Route("/devices/sign-out-all", action(devices.sign_out_all), methods=["POST"], name="sign_out_all"),
            Route("/passkeys", devices.add_passkey, methods=["POST"], name="add_passkey"),
            Route("/passkeys/remove", action(devices.remove_passkey), methods=["POST"], name="remove_passkey"),
            Route("/sign-in", sign_in.show, name="sign_in"),
            Route("/sign-in", sign_in.use_passkey, methods=["POST"], name="use_passkey"),
            Route("/sign-in/{token}", sign_in.show_link, name="show_link"),
            Route("/sign-in/{token}", sign_in.use_link, methods=["POST"], name="use_link"),
            Route("/push", push.subscribe, methods=["POST"], name="push_subscribe"),
            Route("/push/key", push.send_key, methods=["POST"], name="push_key"),
            Route("/push/rules", action(push.set_rules, changes=False), methods=["POST"], name="push_rules"),
            Route("/push/test", action(push.test, changes=False), methods=["POST"], name="push_test"),
            Route("/push/stop", action(push.stop, changes=False), methods=["POST"], name="push_stop"),
            Route("/manifest.webmanifest", push.public_file, name="manifest"),
            Route("/service-worker.js", push.public_file, name="service_worker"),
            Mount("/static", StaticFiles(packages=[("watcher.web", "static")]), name="static"),
        ],
        middleware=[
            Middleware(LanguageMiddleware, default=context.settings.language),
            Middleware(Security, settings=context.settings.web),
            Middleware(Entrance, context=context, guard=guard or Guard()),
        ],
        exception_handlers={StoreUnusable: problems.database_unusable, HTTPException: problems.refused},
    )
    app.state.context = context
    return app
