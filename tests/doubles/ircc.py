"""Fake servers of an IRCC tracker, written from the recorded formats: Cognito's `InitiateAuth` and the data service.

They keep state like the real ones: wrong passwords are counted and lock the account, tokens expire, refresh tokens can
be revoked. Each answer in `faults` replaces the answer to one of the next requests.
"""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from tests.doubles.loopback import LoopbackServer, ReceivedRequest, reply, serve

CLIENT_ID = "madeupclientid0000000000000"
ISSUER = "https://cognito-idp.ca-central-1.amazonaws.com/ca-central-1_MadeUp000"
UCI, PASSWORD = "1100000001", "Made-up-password-1"
FIREWALL_ANSWER = reply(403, b"<html><head><title>403 Forbidden</title></head><body>Request blocked.</body></html>")

Json = dict[str, Any]


def error_reply(name: str, message: str = "", status: int = 400) -> bytes:
    """Return an error in Cognito's format."""
    return reply(status, json.dumps({"__type": name, "message": message}).encode(), x_amzn_errortype=f"{name}:")


def make_token(claims: Json) -> str:
    """Return a JWT with these claims and a made-up signature."""

    def part(content: Json) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part({'kid': 'made-up', 'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl"


@dataclass(slots=True, kw_only=True)
class Cognito:
    """The sign-in service. `claims` overrides claims of its tokens; `challenge` follows a correct password."""

    now: Callable[[], datetime]
    users: dict[str, str] = field(default_factory=lambda: {UCI: PASSWORD})
    claims: Json = field(default_factory=dict)
    challenge: str | None = None
    rotates_refresh_tokens: bool = False
    faults: list[bytes] = field(default_factory=list)
    submitted_passwords: list[str] = field(default_factory=list)
    refreshes: list[str] = field(default_factory=list)
    failed_sign_ins: int = 0
    locked_until: datetime | None = None
    refresh_tokens: set[str] = field(default_factory=set)
    id_tokens: dict[str, datetime] = field(default_factory=dict)
    tokens_issued: int = 0

    def answer(self, request: ReceivedRequest) -> bytes:
        """Answer any request."""
        assert request.method == "POST"
        assert request.target == "/"
        assert request.headers["content-type"] == "application/x-amz-json-1.1"
        assert request.headers["x-amz-target"] == "AWSCognitoIdentityProviderService.InitiateAuth"
        query = json.loads(request.body)
        parameters = query["AuthParameters"]
        by_password = query["AuthFlow"] == "USER_PASSWORD_AUTH"
        (self.submitted_passwords if by_password else self.refreshes).append(str(parameters.get("PASSWORD", "")))
        if self.faults:
            return self.faults.pop(0)
        if query["ClientId"] != CLIENT_ID:
            return error_reply("ResourceNotFoundException", f"User pool client {query['ClientId']} does not exist.")
        return self._password(parameters) if by_password else self._refresh(parameters["REFRESH_TOKEN"])

    def _password(self, parameters: Json) -> bytes:
        if self.locked_until is not None and self.now() < self.locked_until:
            return error_reply("NotAuthorizedException", "Password attempts exceeded")
        if self.users.get(parameters["USERNAME"]) != parameters["PASSWORD"]:
            self.failed_sign_ins += 1
            if self.failed_sign_ins >= 5:
                self.locked_until = self.now() + timedelta(seconds=min(2 ** (self.failed_sign_ins - 5), 900))
            return error_reply("NotAuthorizedException", "Incorrect username or password.")
        self.failed_sign_ins = 0
        if self.challenge is not None:
            return _json({"ChallengeName": self.challenge, "ChallengeParameters": {}, "Session": "made-up-session"})
        return self._tokens(new_refresh=True)

    def _refresh(self, refresh_token: str) -> bytes:
        if refresh_token not in self.refresh_tokens:
            return error_reply("NotAuthorizedException", "Refresh Token has been revoked")
        if self.rotates_refresh_tokens:
            self.refresh_tokens.remove(refresh_token)
        return self._tokens(new_refresh=self.rotates_refresh_tokens)

    def _tokens(self, *, new_refresh: bool) -> bytes:
        self.tokens_issued += 1
        expires_at = self.now() + timedelta(hours=1)
        claims = {
            "sub": "made-up",
            "aud": CLIENT_ID,
            "token_use": "id",
            "iss": ISSUER,
            "exp": int(expires_at.timestamp()),
            "jti": str(self.tokens_issued),
        }
        result: Json = {"AccessToken": "access", "ExpiresIn": 3600, "TokenType": "Bearer"}
        result["IdToken"] = make_token({**claims, **self.claims})
        self.id_tokens[result["IdToken"]] = expires_at
        if new_refresh:
            result["RefreshToken"] = f"refresh-{self.tokens_issued}"
            self.refresh_tokens.add(result["RefreshToken"])
        return _json({"AuthenticationResult": result, "ChallengeParameters": {}})


@dataclass(slots=True, kw_only=True)
class Tracker:
    """The data service. `applications` holds the details by number; the list is derived from them."""

    program: Literal["immigration", "citizenship"]
    cognito: Cognito
    applications: dict[str, Json] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    faults: list[bytes] = field(default_factory=list)
    broken: dict[str, bytes] = field(default_factory=dict)
    rejects_tokens: bool = False
    accepts_any_token: bool = False

    def answer(self, request: ReceivedRequest) -> bytes:
        """Answer any request."""
        assert request.method == "POST"
        assert request.target == "/user"
        assert request.headers["origin"].startswith("https://")
        if self.faults:
            return self.faults.pop(0)
        expires_at = self.cognito.id_tokens.get(request.headers["authorization"].removeprefix("Bearer "))
        expired = expires_at is None or expires_at <= self.cognito.now()
        if self.rejects_tokens or (expired and not self.accepts_any_token):
            return _json({"message": "The incoming token has expired"}, 401)
        query = json.loads(request.body)
        if query["method"] == "get-profile-summary":
            return _json(self._profile())
        number = query["applicationNumber"]
        if self.program == "immigration":
            assert query["uci"] == UCI
            assert query["isAgent"] is False
        if number in self.broken:
            return self.broken[number]
        if number not in self.applications:
            return _json({"message": "Not found"}, 404)
        return _json(self.applications[number])

    def _profile(self) -> Json:
        if self.program == "citizenship":
            apps = [
                {"status": one["status"], "appNumber": number, "tasks": self.tasks.get(number, 0), "uci": UCI}
                for number, one in self.applications.items()
            ]
            return {"uci": UCI, "apps": apps, "lastUpdated": 1767225600000, "firstName": "TEST", "lastName": "USER"}
        return {
            "apps": [
                {
                    "appNum": number,
                    "appType": "Permanent residence",
                    "status": one["app"]["status"],
                    "lastUpdated": one["app"]["lastUpdated"],
                    "paFirstName": "TEST",
                    "paLastName": "USER",
                    "role": 1,
                    "tasks": self.tasks.get(number, 0),
                }
                for number, one in self.applications.items()
            ]
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerServers:
    """The two servers of a tracker."""

    auth: LoopbackServer
    api: LoopbackServer


@contextmanager
def run_tracker(tracker: Tracker) -> Iterator[TrackerServers]:
    """Run both servers until the context is left."""
    with serve(tracker.cognito.answer) as auth, serve(tracker.answer) as api:
        yield TrackerServers(auth=auth, api=api)


def immigration(number: str, **changed: Any) -> Json:
    """Return an immigration application in the recorded format; `changed` goes into `app`."""
    return {
        "app": {
            "appNumber": number,
            "lob": "PV2",
            "status": "inProgress",
            "lastUpdated": "2026-03-15T18:22:11.000Z",
            "dateRecieved": "2025-01-01T00:00:00.000Z",
            "firstName": "TEST",
            "lastName": "USER",
            **changed,
        },
        "relations": [
            {
                "uci": UCI,
                "role": 1,
                "relationType": 1,
                "firstName": "TEST",
                "lastName": "USER",
                "imeExpiry": None,
                "activities": {
                    "eligibility": "completed",
                    "medical": "inProgress",
                    "biometrics": "completed",
                    "background": "notStarted",
                },
                "history": [
                    {
                        "key": "Eligibility",
                        "dateCreated": "2025-01-10T09:00:00.000Z",
                        "dateLoaded": "2025-01-10T09:00:00.000Z",
                        "actStatus": 33,
                        "actType": 1,
                    }
                ],
                "actions": [],
            }
        ],
    }


def citizenship(number: str, **changed: Any) -> Json:
    """Return a citizenship application in the recorded format, updated with `changed`."""
    names = ("language", "backgroundVerification", "residency", "prohibitions", "citizenshipTest", "citizenshipOath")
    return {
        "applicationNumber": number,
        "uci": UCI,
        "lastUpdatedTime": 1767225600000,
        "status": "inProgress",
        "actions": [],
        "activities": [{"activity": name, "order": n, "status": "notStarted"} for n, name in enumerate(names, start=1)],
        "history": [
            {
                "time": 1767225600000,
                "type": "fileCreated",
                "activity": "application",
                "isNew": False,
                "isWaiting": False,
                "loadTime": 1767225600000,
                "title": {"en": "We received your application", "fr": "Nous avons reçu votre demande"},
                "text": {"en": "", "fr": ""},
            }
        ],
        **changed,
    }


def _json(content: Json, status: int = 200) -> bytes:
    return reply(status, json.dumps(content).encode(), content_type="application/json")
