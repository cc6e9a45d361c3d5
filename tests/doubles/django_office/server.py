# ruff: noqa: PLC0415 -- Django's models can be imported only after Django is set up
"""The Django portal on loopback, in this process, with its database in a folder of the test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

USERNAME, PASSWORD = "applicant", "correct horse 7 battery"


class _ThreadedServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@dataclass(slots=True, kw_only=True)
class Office:
    """The running portal. `requests` holds method and path of every request; `fail` answers each with a 500."""

    base_url: str = ""
    requests: list[str] = field(default_factory=list)
    fail: bool = False

    def add(self, number: str, *, status: str, **fields: Any) -> Any:
        from tests.doubles.django_office.models import Objects

        return Objects.create(number=number, status=status, **{"form": "I-485", "filed": "2026-05-29", **fields})

    def remove_all(self) -> None:
        from tests.doubles.django_office.models import Objects

        Objects.all().delete()

    def change_status(self, number: str, *, status: str) -> None:
        """Change the status and add a history entry, as the admin itself does."""
        from django.contrib.admin.models import CHANGE, LogEntry
        from django.contrib.auth.models import User

        from tests.doubles.django_office.models import Objects

        Objects.filter(number=number).update(status=status)
        LogEntry.objects.log_actions(
            User.objects.get(username=USERNAME).pk,
            Objects.filter(number=number),
            CHANGE,
            [{"changed": {"fields": ["Status"]}}],
            single_object=True,
        )

    def end_all_sessions(self) -> None:
        from django.contrib.sessions.models import Session

        Session.objects.all().delete()

    @property
    def sign_ins(self) -> int:
        return sum(request.startswith("POST /admin/login/") for request in self.requests)


def _configure(folder: Path) -> None:
    settings.configure(
        SECRET_KEY="made up, of no use anywhere else",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="tests.doubles.django_office.urls",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "office.sqlite3"}},
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "tests.doubles.django_office",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        STATIC_URL="/static/",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    django.setup()
    call_command("migrate", verbosity=0, run_syncdb=True)


@contextmanager
def run_office(folder: Path) -> Iterator[Office]:
    """Run the portal until the context is left. Only once per process: Django's settings are global."""
    _configure(folder)
    from django.contrib.auth.models import User

    User.objects.create_superuser(USERNAME, password=PASSWORD)
    application, office = get_wsgi_application(), Office()

    def record_request(environ: Any, start_response: Any) -> Any:
        office.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        if office.fail:
            start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
            return [b"out of order"]
        return application(environ, start_response)

    with make_server(
        "127.0.0.1", 0, record_request, server_class=_ThreadedServer, handler_class=_QuietHandler
    ) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        office.base_url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield office
        finally:
            server.shutdown()
            thread.join()
            from django.db import connections

            connections.close_all()
