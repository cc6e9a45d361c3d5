"""The list of devices: who sees whom, and who may sign out whom."""

from tests.web.visiting import Browser, Site
from watcher.model.web import KeyKind


def devices(site: Site) -> dict[str | None, int]:
    with site.store() as store:
        return {device.person: device.id for device in store.web.keys(KeyKind.DEVICE)}


def sign_out(browser: Browser, device: int) -> int:
    return browser.submit("/devices", "/devices/sign-out", device=str(device)).status_code


def test_device_signs_out_another(site: Site) -> None:
    browser, other = site.signed_in(), site.signed_in(person="Maria")
    assert sign_out(browser, devices(site)["Maria"]) == 303
    assert other.get("/devices").status_code == 401
    assert browser.get("/devices").status_code == 200


def test_device_signs_itself_out_and_forgets_its_cookie(site: Site) -> None:
    browser = site.signed_in(read_only=True)
    token = browser.client.cookies["watcher"]
    answer = browser.submit("/devices", "/devices/sign-out", device=str(devices(site)[None]))
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "watcher" not in browser.client.cookies
    assert site.browser().get("/devices", Cookie=f"watcher={token}").status_code == 401


def test_all_devices_are_signed_out_with_links_that_were_not_used(site: Site) -> None:
    browsers, link = [site.signed_in(), site.signed_in(person="Maria")], site.link()
    assert browsers[0].submit("/devices", "/devices/sign-out-all").status_code == 303
    assert devices(site) == {}
    assert site.browser().get(link).status_code == 410


def test_person_sees_and_signs_out_only_their_own_devices(site: Site) -> None:
    site.signed_in()
    maria = site.signed_in(person="Maria")
    site.signed_in(person="Jose")
    assert maria.get("/devices").text.count("iPhone, Safari</span>") == 0
    assert maria.get("/devices").text.count('name="device"') == 1
    assert sign_out(maria, devices(site)["Jose"]) == 404
    assert sign_out(maria, devices(site)[None]) == 404
    assert maria.submit("/devices", "/devices/sign-out-all").status_code == 303
    assert set(devices(site)) == {None, "Jose"}


def test_device_that_may_change_nothing_signs_out_no_other(site: Site) -> None:
    site.signed_in(person="Maria")
    reader = site.signed_in(read_only=True)
    assert sign_out(reader, devices(site)["Maria"]) == 403
    assert reader.submit("/devices", "/devices/sign-out-all").status_code == 403
    assert len(devices(site)) == 2
