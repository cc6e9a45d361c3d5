"""The section [web]: what it accepts, and one line for each fault."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import pytest

from tests.settings.configuration import ConfigFolder
from watcher.settings import WebSettings
from watcher.settings.page_url import page_url


@pytest.mark.parametrize(
    "section",
    [
        'listen = ""',
        'listen = "127.0.0.1:8788"',
        'listen = "[::1]:8788"\nurl = "https://home.example.org/watcher/"',
        'listen = "0.0.0.0:8788"\nurl = "https://watcher.example.org"\ntrusted_proxies = ["172.16.0.0/12", "::1"]',
        'listen = "0.0.0.0:8788"\ntls_cert = "cert.pem"\ntls_key = "key.pem"',
        'listen = "192.168.1.5:8788"\ninsecure_lan = true',
        'listen = "0.0.0.0:8788"\nurl = "http://nas.local:8788"\ninsecure_lan = true',
        'listen = "127.0.0.1:8788"\nurl = "http://localhost:8788"',
    ],
)
def test_safe_page_is_accepted(config: ConfigFolder, section: str) -> None:
    assert config.settings(f"[web]\n{section}\n").web.listen in section


@pytest.mark.parametrize(
    ("section", "faults"),
    [
        ('listen = "0.0.0.0:8788"', ["web.listen: other machines can reach this address without encryption"]),
        ('listen = "8788"', ["web.listen: use a host and a port"]),
        ('listen = "127.0.0.1:8788"\nurl = "http://watcher.example.org"', ["web.url: use https"]),
        ('url = "watcher.example.org"', ["web.url: use the address of the page"]),
        ('url = "https://watcher.example.org/?a=b"', ["web.url: the address must not have a user name"]),
        ('url = "https://someone@watcher.example.org/"', ["web.url: the address must not have a user name"]),
        ('url = "https://watcher.example.org/a b"', ["web.url: use the address of the page"]),
        ('url = "https://watcher.example.org/a/../b"', ["web.url: its path may only have letters"]),
        ('url = "https://watcher.example.org/%61"', ["web.url: its path may only have letters"]),
        ('tls_cert = "cert.pem"', ["web.tls_key: is missing; tls_cert needs it"]),
        ('tls_key = "key.pem"', ["web.tls_cert: is missing; tls_key needs it"]),
        (
            'listen = "127.0.0.1:8788"\nurl = "http://localhost:8788"\ntls_cert = "cert.pem"\ntls_key = "key.pem"',
            ["web.url: use https, because tls_cert is set"],
        ),
        ('trusted_proxies = ["proxy"]', ["web.trusted_proxies[0]: use an IP address or a network"]),
        ('insecure_lan = "yes"', ["web.insecure_lan: must be true or false"]),
        (
            'listen = "0.0.0.0:8788"\nurl = "http://watcher.example.org"\ntls_key = "key.pem"',
            ["web.tls_cert: is missing", "web.listen: other machines", "web.url: use https"],
        ),
    ],
)
def test_each_fault_is_one_line(config: ConfigFolder, section: str, faults: list[str]) -> None:
    found = config.faults(f"[web]\n{section}\n")
    assert len(found) == len(faults)
    assert [expected for expected in faults if not any(expected in line for line in found)] == []


@pytest.mark.parametrize(
    ("web", "expected"),
    [
        (WebSettings(), ""),
        (WebSettings(url="https://watcher.example.org"), ""),
        (WebSettings(listen="127.0.0.1:8788"), "http://127.0.0.1:8788"),
        (WebSettings(listen="[::1]:8788"), "http://[::1]:8788"),
        (
            WebSettings(listen="127.0.0.1:8788", url="https://home.example.org/watcher/"),
            "https://home.example.org/watcher",
        ),
    ],
)
def test_links_begin_with_the_address_of_the_page(web: WebSettings, expected: str) -> None:
    assert page_url(web) == expected


def test_address_of_a_page_on_all_addresses_is_that_of_the_machine() -> None:
    url = page_url(WebSettings(listen="0.0.0.0:8788", insecure_lan=True))
    assert not ip_address(urlsplit(url).hostname or "").is_unspecified
    assert url.endswith(":8788")
