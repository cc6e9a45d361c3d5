"""Why a message was not sent, in words. Needs neither Apprise nor what it imports."""

from watcher.messages import _, plural


def no_answer_text(seconds: float) -> str:
    """Return the reason of a failure without an answer within this time."""
    number = 1 if seconds == 1 else 2  # only what it stands for: a fraction has no form of its own
    return plural("no answer within {time} second", "no answer within {time} seconds", number, time=f"{seconds:g}")


def plug_in_failed_text(error: Exception) -> str:
    """Return the reason of a failure that a plug-in's author did not expect."""
    return _("the plug-in failed ({error})", error=type(error).__name__)


def not_understood_text(schema: str) -> str:
    """Return what is wrong with an address that Apprise refuses. `schema` is what precedes `://`, or ""."""
    if not schema:
        return _(
            "this isn't an address that Apprise understands; see the page of the service at"
            " https://appriseit.com/services/"
        )
    return _(
        "{schema}:// isn't an address that Apprise understands; see the page of the service at"
        " https://appriseit.com/services/",
        schema=schema,
    )


def package_missing_text(schema: str, packages: str) -> str:
    """Return that a service needs these packages, or a library without a known name if there are none."""
    if not packages:
        return _(
            "{schema}:// needs a library that this machine does not have; install it beside case-watcher", schema=schema
        )
    return _("{schema}:// needs {packages}; install it beside case-watcher", schema=schema, packages=packages)


def device_gone_text() -> str:
    """Return that a device's subscription has ended."""
    return _("the device's browser has ended the notifications; turn them on again on the page, under Devices")
