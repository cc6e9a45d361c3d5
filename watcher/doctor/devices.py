"""Checks of the devices that receive alerts through the page."""

from collections.abc import Iterator

from watcher.app import App
from watcher.context.device_channels import PushDevice, push_devices
from watcher.doctor.finding import Finding, about_channel, failed, ok
from watcher.messages import _
from watcher.settings.device_channels import push_key_file


def check_devices(app: App) -> Iterator[Finding]:
    """Report which devices receive alerts, and why others no longer do."""
    has_key = push_key_file(app.settings).is_file()
    for device in push_devices(app.store, app.settings):
        yield _finding(device, has_key=has_key)


def _finding(device: PushDevice, *, has_key: bool) -> Finding:
    about, remedy = about_channel(device.name), _("on the device, turn the notifications on again: Devices on the page")
    if device.has_ended:
        return failed(about, _("its browser has ended the notifications, so it gets no alerts"), remedy)
    if device.target is None:
        return failed(about, _("its subscription cannot be decrypted on this machine, so it gets no alerts"), remedy)
    if not has_key:
        return failed(about, _("the key for notifications is missing in state_dir, so it gets no alerts"), remedy)
    person = device.subscription.device.person
    if person:
        return ok(about, _("a device that gets the alerts about cases of {person}", person=person))
    return ok(about, _("a device that gets alerts through the page"))
