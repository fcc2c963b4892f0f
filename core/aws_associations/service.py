"""Calls to AWS services through botocore: models, clients, credentials, and what an attempt that failed means.

Nothing of botocore is imported until the first call, so that declaring associations costs nothing.
"""

from __future__ import annotations

import copy
import datetime
import functools
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aws_associations import endpoint
from aws_associations.errors import AccessDenied, AssociationError, DeadlinePassed, InvalidRequest
from aws_associations.identity import Identity
from aws_associations.kind import CredentialExchange, Kind
from aws_associations.shared_look import Listings
from aws_associations.translation import final, from_botocore, refused, service_words
from aws_associations.waiting import Deadline, Pace, delays

READ_TIMEOUT = 20.0
"""Seconds without a byte from the service before an attempt counts as failed."""

_CONNECT_TIMEOUT = 5.0

LONGEST_CALL = _CONNECT_TIMEOUT + READ_TIMEOUT + 5.0
"""Seconds after which an attempt that was not answered can take effect no more, with a margin of five."""

_ATTEMPTS = 5
_MODELS = Path(__file__).parent / "models"
_PATIENCE = 0.5
"""The part of the time that is left in which a rejection that passes by itself is repeated."""

_GLOBAL_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
"""Partition → the region that its global endpoints sign for (measured with botocore 1.44.5)."""


def keep_sdk_quiet() -> None:
    """Stop the SDK from logging what must not be read, whatever the level of the process is.

    At DEBUG botocore logs session tokens and the credentials that FinSpace answers, and urllib3 the paths of requests.
    """
    keep_quiet("boto3", "botocore", "urllib3")


def keep_quiet(*libraries: str, level: int = logging.WARNING) -> None:
    """Set the level of every logger of these libraries: a level of a logger's own wins over that of its library."""
    for name, logger in [(name, logging.getLogger(name)) for name in libraries] + list(
        logging.root.manager.loggerDict.items()
    ):
        # A level that is set already is not set again: all loggers would forget what they have looked up.
        if name.partition(".")[0] in libraries and isinstance(logger, logging.Logger) and logger.level != level:
            logger.setLevel(level)


class Services:
    """Clients for every kind, made when first needed. Safe to share between threads.

    Credentials come from botocore's own chain (environment, profile, role) and never from a property. A service whose
    model botocore has dropped is served from this package's own folder, which also wins where botocore still has it, so
    that behaviour does not depend on the user's botocore (tested with one that has it and one that has not).
    """

    def __init__(
        self, utc_now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC), profile: str = ""
    ) -> None:
        """Nothing is read yet.

        Args:
            utc_now: the time by which exchanged credentials expire and services have ended.
            profile: of the AWS configuration; empty: that of the environment.
        """
        self.utc_now = utc_now
        self._profile = profile
        # Sessions are not thread-safe: of one of them clients are made one at a time.
        self._lock = threading.RLock()
        self._made_session: Any = None
        self._clients: dict[tuple[str, ...], Any] = {}
        self._exchanging: dict[tuple[str, ...], threading.Lock] = {}
        self._account: str | None = None
        self._attempt = threading.local()
        self.listings = Listings()
        self._paces: dict[tuple[str, str], Pace] = {}

    def pace(self, kind: Kind, operation: str) -> Pace:
        """How long what this operation writes took to show, in this process."""
        return self._paces.setdefault((kind.name, operation), Pace())

    def default_region(self) -> str:
        """The region of the caller's environment or profile; raises InvalidRequest if there is none."""
        # botocore itself reads AWS_DEFAULT_REGION only; the CLI and Pulumi's AWS provider put AWS_REGION first.
        region = os.environ.get("AWS_REGION") or self._session().get_config_variable("region")
        if not region:
            raise InvalidRequest(
                "no AWS region is set", advice="Set AWS_REGION, a region in the AWS profile, or the region property."
            )
        return str(region)

    def account(self, region: str, deadline: Deadline) -> str:
        """The 12-digit account of the caller's credentials: one GetCallerIdentity for the life of this object.

        Args:
            region: any in which the caller may call STS.
            deadline: after it nothing is sent any more.
        """
        with self._lock:
            if self._account is None:
                try:
                    with self._translated(None, deadline, "GetCallerIdentity"):
                        sts = self._client(("sts", region), None, self._before_send)
                        self._account = str(sts.get_caller_identity()["Account"])
                except AssociationError as error:
                    error.outcome_unknown = False  # nothing was written
                    raise
            return self._account

    def model(self, kind: Kind) -> Any:
        """botocore's ServiceModel of the kind's service, without any call."""
        with self._lock:
            return self._session().get_service_model(kind.service, api_version=kind.api_version)

    def region_of(self, kind: Kind, region: str) -> str:
        """The region in which an association of this kind is, seen from ``region``.

        The same, unless the service is global: then that of the partition's endpoint, so that one association has one
        identity from wherever it is declared.
        """
        from botocore.exceptions import UnknownRegionError

        if not kind.is_global:
            return region
        try:
            with self._lock:
                partition = str(self._session().get_partition_for_region(region))
        except UnknownRegionError:
            return region
        return _GLOBAL_REGIONS.get(partition, region)

    def call(
        self, kind: Kind, identity: Identity, operation: str, parameters: Mapping[str, object], deadline: Deadline
    ) -> dict[str, Any]:
        """Call one operation and return its answer.

        A rejection that the kind declares as transient is repeated for half of the time, and none of them before the
        service's own ``RetryAfterSeconds``.

        Raises:
            AssociationError: ``outcome_unknown`` as if the operation were a write, ``action`` left to the caller.
        """
        try:
            with self._translated(kind, deadline, operation):
                answer: dict[str, Any] = _invoke(self._client_for(kind, identity), operation, parameters)
        except AccessDenied:
            if kind.exchange is not None:
                # The next call exchanges credentials anew: these may have been withdrawn early.
                with self._lock:
                    self._clients.pop(_key(kind, identity), None)
            raise
        return answer

    @contextmanager
    def _translated(self, kind: Kind | None, deadline: Deadline, operation: str) -> Iterator[None]:
        """Count the attempts of the calls made inside, stop them at the deadline, translate what they raise."""
        attempt = self._attempt
        attempt.deadline, attempt.sent, attempt.rejected, attempt.lost = deadline, 0, False, False
        attempt.exchanging = attempt.host = attempt.service = ""
        attempt.kind = kind
        attempt.patience, attempt.delays = deadline.part(_PATIENCE), delays()
        try:
            deadline.check()
            yield
        except AssociationError as error:
            error.outcome_unknown = error.lost = attempt.sent > 0
            raise
        except Exception as error:  # every error of a library becomes one of ours, here and nowhere else
            sent = attempt.sent
            if attempt.exchanging or isinstance(error, DeadlinePassed):
                # Not the answer to the last attempt: what that one was is known if it was rejected.
                sent -= attempt.rejected
                # An exchange that fails between two attempts says nothing of the first: as if it were a retry.
                sent += bool(attempt.exchanging and sent)
            doing, set_by = attempt.exchanging or operation, self.set_by(attempt.service, attempt.host)
            raise from_botocore(error, doing, kind=kind, sent=sent, host=attempt.host, set_by=set_by) from error
        finally:
            attempt.deadline = None

    def set_by(self, service: str, at: str) -> str:
        """The caller's setting that sends calls of a service to this address; see ``endpoint.py``."""
        return endpoint.set_by(self._session(), service, at) if at else ""

    def _before_send(self, request: Any = None, event_name: str = "", **_: object) -> None:
        """Run before every attempt, the SDK's own retries included: a late retry must not write."""
        attempt = self._attempt
        deadline: Deadline | None = getattr(attempt, "deadline", None)
        if deadline is not None:
            deadline.check()
            # An attempt that the service rejected had no effect, so the next one is the first that may have.
            attempt.sent += 0 if attempt.rejected else 1
            attempt.rejected = False
            self._note_destination(event_name, request)
            attempt.exchanging = ""

    def _after_attempt(
        self, response: tuple[Any, Mapping[str, Any]] | None = None, operation: Any = None, **_: object
    ) -> float | None:
        """Run after every attempt: seconds until the next one, or None to leave that to the SDK.

        Raises:
            ClientError: the SDK would repeat what the kind declares as final, or before the service asked for it.
        """
        from botocore.exceptions import ClientError

        attempt = self._attempt
        if getattr(attempt, "deadline", None) is None or attempt.exchanging:
            return None
        if response is None:
            attempt.lost = True
            return None
        status, answer = response[0].status_code, response[1]
        if not 400 <= status < 500:
            return None
        kind: Kind | None = attempt.kind
        code, reason = service_words(answer)
        attempt.rejected = refused(kind, status, code, reason)
        after = answer.get("RetryAfterSeconds")
        if after is None and (kind is None or code not in kind.transient):
            return None
        delay: float = max(next(attempt.delays), float(after or 0))
        if final(kind, code, reason) or delay > attempt.patience.remaining:
            raise ClientError(dict(answer), operation.name)
        return delay

    def _before_exchange(self, event_name: str, request: Any = None, **_: object) -> None:
        """An exchange of credentials happens inside another call and is not an attempt of it."""
        deadline: Deadline | None = getattr(self._attempt, "deadline", None)
        if deadline is not None:
            deadline.check()
            self._attempt.exchanging = event_name.rpartition(".")[2]
            self._note_destination(event_name, request)

    def _note_destination(self, event_name: str, request: Any) -> None:
        """Remember where the attempt goes; an event is called ``before-send.<service>.<operation>``."""
        self._attempt.service = event_name.partition(".")[2].partition(".")[0]
        self._attempt.host = endpoint.address(str(getattr(request, "url", "")))

    @property
    def may_still_arrive(self) -> bool:
        """Whether an attempt of this thread's last call was not answered, though a later one may have been."""
        return bool(self._attempt.lost)

    def _session(self) -> Any:
        from botocore.exceptions import BotoCoreError

        with self._lock:
            if self._made_session is None:
                try:
                    self._made_session = new_session(profile=self._profile)
                except BotoCoreError as error:  # a profile that does not exist, a configuration that cannot be read
                    raise from_botocore(error, "reading the configuration", kind=None, sent=0) from error
            return self._made_session

    def _client_for(self, kind: Kind, identity: Identity) -> Any:
        if kind.exchange is None:
            return self._client((kind.service, identity.region), kind.api_version, self._before_send)
        key = _key(kind, identity)
        with self._lock:
            exchanging = self._exchanging.setdefault(key, threading.Lock())
        # Its credentials are exchanged while it is made: only who needs the same ones waits for that.
        with exchanging:
            if key not in self._clients:
                with self._lock:
                    caller = self._client((kind.service, identity.region), kind.api_version, self._before_exchange)
                    session = new_session(like=self._session(), profile=self._profile)
                session.register_component(
                    "credential_provider", _Exchange(caller, kind.exchange, identity, self.utc_now)
                )
                self._clients[key] = self._new_client(session, key, kind.api_version, self._before_send)
            return self._clients[key]

    def _client(self, key: tuple[str, str], api_version: str | None, before_send: Callable[..., None]) -> Any:
        """The client of (service, region) that signs with the caller's own credentials."""
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._new_client(self._session(), key, api_version, before_send)
            return self._clients[key]

    def ledger_client(self, region: str) -> Any:
        """The ledger's DynamoDB client: its calls are no attempts of another call, and no deadline stops them."""
        from botocore.config import Config

        key = ("dynamodb", region)
        with self._lock:
            if key not in self._clients:
                retries = {"mode": "standard", "total_max_attempts": 4}
                config = Config(connect_timeout=2, read_timeout=3, retries=retries)
                client = self._session().create_client("dynamodb", region_name=region, config=config)
                client.meta.events.register("before-parse", _refuse_page)
                self._clients[key] = client
            return self._clients[key]

    def _new_client(
        self, session: Any, key: tuple[str, ...], api_version: str | None, before_send: Callable[..., None]
    ) -> Any:
        from botocore.config import Config

        client = session.create_client(
            key[0],
            region_name=key[1],
            api_version=api_version,
            config=Config(
                connect_timeout=_CONNECT_TIMEOUT,
                read_timeout=READ_TIMEOUT,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            ),
        )
        # First: whoever else listens may send, or fail, in the event itself (moto does both).
        client.meta.events.register_first("before-send", before_send)
        # By the service's own name, as the SDK's handler: the more specific event is asked first, its answer counts.
        asking = f"needs-retry.{client.meta.service_model.service_id.hyphenize()}"
        client.meta.events.register_first(asking, self._after_attempt)
        client.meta.events.register("before-parse", _refuse_page)
        return client


def _key(kind: Kind, identity: Identity) -> tuple[str, ...]:
    """What a client is kept under: one exchange per environment and region."""
    exchange = kind.exchange.request.values() if kind.exchange else ()
    return (kind.service, identity.region, *(identity[part] for part in exchange))


def _refuse_page(response_dict: Mapping[str, Any], **_: object) -> None:
    """Refuse a web page that says 200: botocore reads it as a success in which every member is missing (measured)."""
    from botocore.parsers import ResponseParserError

    body, success = response_dict.get("body"), response_dict["status_code"] < 300
    if success and isinstance(body, bytes) and body.lstrip()[:9].lower().startswith((b"<html", b"<!doctype")):
        raise ResponseParserError("the answer is a web page")


def _invoke(client: Any, operation: str, parameters: Mapping[str, object]) -> Any:
    from botocore import xform_name

    return getattr(client, xform_name(operation))(**parameters)


def new_session(like: Any = None, profile: str = "") -> Any:
    """A botocore session of our own: what is changed in it must not change the user's default session.

    Args:
        like: one of these, of which it takes over botocore's event handlers; to register them anew takes long.
        profile: of the AWS configuration; it wins over the credentials of the environment. Empty: the environment's.
    """
    import botocore.session

    if like is None:
        session = botocore.session.Session(profile=profile or None)
    else:
        handlers = copy.copy(like.get_component("event_emitter"))
        session = botocore.session.Session(
            event_hooks=handlers, include_builtin_handlers=False, profile=profile or None
        )
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    session.user_agent_extra = "aws-associations"
    return session


@functools.cache
def _loader(data_path: str | None) -> Any:
    """One loader for all sessions of this process: it keeps what it has read, a megabyte of endpoints among that."""
    from botocore.loaders import create_loader

    loader = create_loader(data_path)
    # In front of botocore's own data, where a dropped model may or may not be.
    loader.search_paths.insert(0, str(_MODELS))
    loader.list_available_services = functools.partial(_Available, loader, loader.list_available_services)
    return loader


class _Available:
    """The services that a loader has: what botocore lists by opening all of some 400 folders is found in one of them.

    Half of the time that a first client took (measured).
    """

    def __init__(self, loader: Any, listed: Callable[[str], Iterable[str]], type_name: str) -> None:
        """Args: listed: botocore's own list; type_name: the file that a service must have."""
        self._loader, self._listed, self._type_name = loader, listed, type_name

    def __contains__(self, service: str) -> bool:
        from botocore.exceptions import DataNotFoundError

        try:
            self._loader.list_api_versions(service, self._type_name)
        except DataNotFoundError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed(self._type_name))


class _Exchange:
    """botocore's credential provider interface over a :class:`CredentialExchange`.

    The credentials renew themselves: in the background of a call from a quarter of their life (at most 15 minutes)
    before their end, and at the latest a sixth of it (at most 10 minutes) before.
    """

    def __init__(
        self, caller: Any, exchange: CredentialExchange, identity: Identity, utc_now: Callable[[], datetime.datetime]
    ) -> None:
        self._caller, self._exchange, self._utc_now = caller, exchange, utc_now
        self._parameters = identity.filled(exchange.request, exchange.constants)

    def load_credentials(self) -> Any:
        """Exchange once now, so that a refusal shows before anything is sent with them."""
        from botocore.credentials import RefreshableCredentials

        first = self._fetch()
        life = (first["expires"] - self._utc_now()).total_seconds()
        return RefreshableCredentials(
            first["access_key"],
            first["secret_key"],
            first["token"],
            first["expires"],
            refresh_using=self._fetch,
            method="exchanged",
            time_fetcher=self._utc_now,
            advisory_timeout=min(900, life / 4),
            mandatory_timeout=min(600, life / 6),
        )

    def _fetch(self) -> dict[str, Any]:
        import jmespath

        # Counted from before the call, so that the end is never believed later than it is.
        asked = self._utc_now()
        exchange = self._exchange
        answer = _invoke(self._caller, exchange.operation, self._parameters)
        minutes = jmespath.search(exchange.minutes, answer) or exchange.longest_minutes
        expires = asked + datetime.timedelta(minutes=minutes)
        found = {
            "access_key": jmespath.search(exchange.access_key, answer),
            "secret_key": jmespath.search(exchange.secret_key, answer),
            "token": jmespath.search(exchange.session_token, answer),
        }
        if not all(found.values()):
            raise AccessDenied(f"{exchange.operation} answered no credentials")
        return {**found, "expires": expires, "expiry_time": expires.isoformat()}
