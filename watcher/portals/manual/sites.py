"""The official sites that forbid automated access, by the value of `site`."""

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from watcher.messages import mark
from watcher.model.alert import Links
from watcher.portals.manual.numbers import A_NUMBER, ACCESS_CODE, CZECH, INPOL, NIE, RECEIPT, NumberForm

SiteName = Literal[
    "ceac",
    "nvc",
    "egov",
    "eoir",
    "ipc",
    "immi",
    "extranjeria",
    "nacionalidade",
    "inpol",
    "india",
    "ikamet",
    "vietnam",
    "vfs",
]

_TRAVEL = "https://travel.state.gov/content/travel/en/us-visas.html"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """An official site and its agency. `vocabulary` lists its status titles; the catalogues say what to enter there.

    `every` is how often it is worth looking, `number` what case numbers look like (None: anything), and `saves` says
    what a person may save of it for `watcher import` ("": nothing). `country` is empty for a site of many countries.
    """

    title: str
    agency: str
    country: str
    links: Links
    every: timedelta = 7 * _DAY
    vocabulary: str = "general"
    number: NumberForm | None = None
    saves: str = ""


SITES = MappingProxyType(
    {
        "ceac": Site(
            title=mark("Visa status check of the US Department of State (CEAC)"),
            agency="CEAC",
            country="US",
            links=Links(sign_in="https://ceac.state.gov/CEACStatTracker/Status.aspx", help=_TRAVEL),
            vocabulary="ceac",
            saves=mark("what you import: the result page"),
        ),
        "nvc": Site(
            title=mark("Immigrant visa cases at the National Visa Center (CEAC)"),
            agency="NVC",
            country="US",
            links=Links(sign_in="https://ceac.state.gov/IV/Login.aspx", help=_TRAVEL),
            vocabulary="ceac",
        ),
        "egov": Site(
            title=mark("USCIS Case Status Online"),
            agency="USCIS",
            country="US",
            links=Links(sign_in="https://egov.uscis.gov/", help="https://www.uscis.gov/contactcenter"),
            vocabulary="uscis",
            every=2 * _DAY,
            number=RECEIPT,
        ),
        "eoir": Site(
            title=mark("Automated Case Information of the US immigration courts (EOIR)"),
            agency="EOIR",
            country="US",
            links=Links(sign_in="https://acis.eoir.justice.gov/en/", help="https://www.justice.gov/eoir"),
            number=A_NUMBER,
        ),
        "ipc": Site(
            title=mark("Status of an application, Czech Ministry of the Interior"),
            agency="Ministry of the Interior",
            country="CZ",
            links=Links(
                sign_in="https://ipc.gov.cz/en/status-of-your-application/", help="https://ipc.gov.cz/en/contacts/"
            ),
            vocabulary="ipc",
            number=CZECH,
            saves=mark("what you import: the JSON of the answer"),
        ),
        "immi": Site(
            title=mark("ImmiAccount, Australian Department of Home Affairs"),
            agency="Home Affairs",
            country="AU",
            links=Links(sign_in="https://online.immi.gov.au/lusc/login", help="https://immi.homeaffairs.gov.au/"),
        ),
        "extranjeria": Site(
            title=mark("State of an immigration file (Extranjería), Spain"),
            agency="Extranjería",
            country="ES",
            links=Links(
                sign_in="https://infoext2.delegaciondelgobierno.gob.es/infoext2/",
                help="https://www.inclusion.gob.es/web/migraciones/",
            ),
            vocabulary="extranjeria",
            number=NIE,
            saves=mark("what you import: the result page"),
        ),
        "nacionalidade": Site(
            title=mark("State of a nationality process, Portugal"),
            agency="IRN",
            country="PT",
            links=Links(sign_in="https://nacionalidade.justica.gov.pt/", help="https://irn.justica.gov.pt/"),
            every=14 * _DAY,
            number=ACCESS_CODE,
        ),
        "inpol": Site(
            title=mark("inPOL, the Masovian office in Warsaw, Poland"),
            agency="inPOL",
            country="PL",
            links=Links(sign_in="https://inpol.mazowieckie.pl/", help="https://www.gov.pl/web/uw-mazowiecki"),
            vocabulary="inpol",
            number=INPOL,
        ),
        "india": Site(
            title=mark("e-Visa of India"),
            agency="Indian e-Visa",
            country="IN",
            links=Links(
                sign_in="https://indianvisaonline.gov.in/evisa/", help="https://indianvisaonline.gov.in/evisa/tvoa.html"
            ),
            every=2 * _DAY,
            vocabulary="india_evisa",
        ),
        "ikamet": Site(
            title=mark("Residence permit of Türkiye (e-ikamet)"),
            agency="e-ikamet",
            country="TR",
            links=Links(sign_in="https://e-ikamet.goc.gov.tr/", help="https://www.goc.gov.tr/"),
        ),
        "vietnam": Site(
            title=mark("e-Visa of Vietnam"),
            agency="Vietnam e-Visa",
            country="VN",
            links=Links(sign_in="https://evisa.gov.vn/e-visa/search", help="https://evisa.gov.vn/"),
            every=2 * _DAY,
            vocabulary="vietnam_evisa",
        ),
        "vfs": Site(
            title=mark("Tracking of an application at VFS Global"),
            agency="VFS Global",
            country="",
            links=Links(sign_in="https://visa.vfsglobal.com/", help="https://www.vfsglobal.com/"),
            every=3 * _DAY,
        ),
    }
)
"""The official sites by the value of `site`."""
