import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog

from watcher.monitoring.logs import FLOORS, configure
from watcher.privacy.redaction import register_secret, register_url

SECRET = "canary-8f4ac0ffee"
PERSONAL = ("IOE0000000001", "1100000001", "11-0000-0001", "E000000001", "someone@example.org")
LEVELS = ("debug", "info", "warning", "error", "critical")
LogFormat = Literal["console", "json"]


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    levels = {name: logging.getLogger(name).level for name in FLOORS}
    yield
    root.handlers[:], root.level, sys.excepthook, threading.excepthook = before
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def logged(log_format: LogFormat = "json", level: str = "debug") -> io.StringIO:
    stream = io.StringIO()
    configure(level=level, log_format=log_format, stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("log_format", ["console", "json"])
@pytest.mark.parametrize("level", LEVELS)
def test_no_secret_is_logged_at_any_level(log_format: LogFormat, level: str) -> None:
    register_secret(SECRET)
    stream = logged(log_format)
    ours, theirs = structlog.get_logger("ours"), logging.getLogger("theirs")
    structlog.contextvars.bind_contextvars(who=f"x {SECRET}", case=PERSONAL[0])
    personal = " ".join(PERSONAL)
    getattr(ours, level)(
        f"event {SECRET} {personal}", deep={"list": [SECRET, {"more": personal}]}, password="p455", n=1100000001
    )
    getattr(theirs, level)(
        "foreign %s %r", SECRET, {"cookie": SECRET, "all": personal}, extra={"token": SECRET, "w": personal}
    )
    output = stream.getvalue()
    assert output.count("\n") == 2
    for canary in (SECRET, "p455", *PERSONAL):
        assert canary not in output


def fail_with_cause() -> None:
    try:
        fail()
    except LookupError as cause:
        cause.add_note(f"note {SECRET}")
        raise RuntimeError(f"password={SECRET[::-1]}") from cause


def fail() -> None:
    hidden = "only-in-a-local-4711"
    raise LookupError(f"no {SECRET} for {PERSONAL[0]}, {len(hidden)} letters")


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_secret_is_logged_in_an_exception_or_its_cause(log_format: LogFormat) -> None:
    register_secret(SECRET)
    stream = logged(log_format)
    try:
        fail_with_cause()
    except RuntimeError:
        structlog.get_logger("ours").exception("failed")
        logging.getLogger("theirs").exception("failed")
    output = stream.getvalue()
    assert output.count("LookupError") >= 2
    for canary in (SECRET, SECRET[::-1], PERSONAL[0]):
        assert canary not in output


def test_traceback_has_locations_but_no_local_variables() -> None:
    stream = logged()
    try:
        fail()
    except LookupError:
        logging.getLogger("x").exception("failed")
    (line,) = lines(stream)
    frame = line["exception"][0]["frames"][-1]
    assert (frame["filename"][-12:], frame["name"]) == ("test_logs.py", "fail")
    assert "only-in-a-local-4711" not in stream.getvalue()


def test_json_line_has_time_level_logger_and_context() -> None:
    stream = logged()
    structlog.contextvars.bind_contextvars(account="family")
    logging.getLogger("theirs").warning("three of %d", 4)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "three of 4", "level": "warning", "logger": "theirs", "account": "family"}


def test_external_text_cannot_forge_a_line_or_draw_on_the_terminal() -> None:
    stream = logged("console")
    structlog.get_logger("x").info("status: ok\n2026 [critical] forged \x1b[31mred\x9b2J")
    output = stream.getvalue()
    assert output.count("\n") == 1
    assert "\x1b" not in output
    assert "\x9b" not in output


@pytest.mark.parametrize("name", sorted(FLOORS))
def test_library_logs_nothing_below_its_minimum_level(name: str) -> None:
    stream = logged(level="debug")
    logging.getLogger(name).log(FLOORS[name] - 1, "chatter")
    logging.getLogger(f"{name}.deeper").log(FLOORS[name] - 1, "chatter")
    logging.getLogger(name).log(FLOORS[name], "worth knowing")
    assert [line["event"] for line in lines(stream)] == ["worth knowing"]


def test_library_logs_nothing_below_the_configured_level() -> None:
    stream = logged(level="error")
    logging.getLogger("apprise").warning("chatter")
    assert not stream.getvalue()


def test_unknown_level_is_refused_with_the_valid_ones() -> None:
    with pytest.raises(ValueError, match="'loud' is not a log level; use debug, info"):
        configure(level="loud")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "colored"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)],
)
def test_color_is_used_only_on_terminals_that_allow_it(environ: dict[str, str], *, colored: bool) -> None:
    stream = Terminal()
    configure(stream=stream, environ=environ)
    logging.getLogger("x").warning("hello")
    assert ("\x1b[" in stream.getvalue()) is colored


def test_pipe_gets_no_color() -> None:
    stream = io.StringIO()
    configure(stream=stream, environ={"TERM": "xterm"})
    logging.getLogger("x").warning("hello")
    assert "\x1b" not in stream.getvalue()


def test_failed_line_is_reported_without_its_content() -> None:
    stream = logged()
    logging.getLogger("x").warning("%d", SECRET)
    assert "cannot write a log line" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_configuring_again_does_not_duplicate_lines() -> None:
    logged()
    stream = logged()
    logging.getLogger("x").warning("once")
    assert len(lines(stream)) == 1


def test_uncaught_exception_is_logged_redacted() -> None:
    register_secret(SECRET)
    stream = logged()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    try:
        fail()
    except LookupError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert [line["event"] for line in lines(stream)] == ["uncaught_exception"] * 2
    assert SECRET not in stream.getvalue()


def test_keyboard_interrupt_is_not_logged() -> None:
    stream = logged()
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not stream.getvalue()


def test_warning_is_logged() -> None:
    stream = logged()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        configure(stream=stream, log_format="json")
        warnings.warn("old ways", DeprecationWarning, stacklevel=1)
    assert "old ways" in stream.getvalue()


def test_apprise_logs_no_channel_url() -> None:
    url = f"json://reader:{SECRET}@127.0.0.1:1/hook-{SECRET}?+X-Token=header-{SECRET}"
    register_url(url)
    stream = logged()
    logging.getLogger("apprise").error("Could not load %s", url)
    logging.getLogger("apprise").warning("%%2BX-Token=header-%s", SECRET)
    assert SECRET not in stream.getvalue()
