"""What Pulumi's dynamic host calls, translated to the core and back. The same for every kind."""

from __future__ import annotations

import functools
import os
import sys
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, ParamSpec, TypeVar, cast

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

from aws_associations.dynamodb import DynamoDBLedger
from aws_associations.errors import AlreadyExists, AssociationError, LedgerUnavailable
from aws_associations.host import Request
from aws_associations.identity import AssociationId, Identity, marker, parse, parse_or_none
from aws_associations.kind import Asked, Kind, Part
from aws_associations.ledger import Ledger, ProcessMemory
from aws_associations.lifecycle import Desired, Granted, Lifecycle, OnExisting, Removal
from aws_associations.properties import typed_options, violations
from aws_associations.records import Owner
from aws_associations.service import Services, keep_sdk_quiet
from aws_associations.waiting import Deadline, SystemClock
from pulumi_aws_associations.host import RunHost
from pulumi_aws_associations.inputs import (
    DEFAULTED,
    ON_EXISTING,
    REQUEST_ID,
    changed,
    changed_region,
    defaulted,
    known_only,
    options_of,
    outputs,
    owner_of,
    too_long,
    wrong_settings,
)
from pulumi_aws_associations.run import Run
from pulumi_aws_associations.words import WORDS

_DOING = {"create": "creating", "read": "reading", "update": "updating", "delete": "deleting"}

_P = ParamSpec("_P")
_R = TypeVar("_R")

_OURS, _AWS = "aws-associations", "aws"
"""Namespaces of the stack's configuration: our own, and that of Pulumi's AWS provider."""

LEDGER_CONFIG = f"{_OURS}:ledger"
LEDGER_VARIABLE = "AWS_ASSOCIATIONS_LEDGER"
"""Name or ARN of a DynamoDB table that keeps the ledger. The stack's configuration wins over the environment."""

SETTINGS = ("region", "profile")
"""What ``aws-associations:`` may say in the stack's configuration; else ``aws:``, which is the AWS provider's."""

_NOT_HONOURED = (
    *("accessKey", "secretKey", "token", "assumeRole", "assumeRoles", "assumeRoleWithWebIdentity"),
    *("sharedConfigFiles", "sharedCredentialsFiles", "endpoints"),
)
"""What ``aws:`` may say of credentials and services besides; only Pulumi's AWS provider understands it."""

_CREATE_SHARE = 0.75
"""The part of the time of a create before what it left is undone."""

_ASKING_TIMEOUT = 10
"""Seconds for a question that a diff has."""

_OF_EVERY_KIND = ("on_existing", "revision", "timeout_seconds", "declared_by")
"""Inputs whose change is an update."""

_RENAMED_OR_SWAPPED = (
    " If this resource was renamed, pass opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name='old')]) with its old"
    " name. If resources of this stack exchange what they hold, run `pulumi up --refresh`. If it was to be replaced by"
    " --replace, add --refresh to that command."
)

_IN_NO_STATE = " It may be granted and is in no state: if the next up finds it, adopt it with on_existing='adopt'."
_IN_THE_LEDGER = " If it was granted, the next up that declares it takes it for its own."

# For the life of the host process, which serves one preview or update.
_run = Run()
_memory = ProcessMemory()
_configured: dict[str, str] = {}


@functools.cache
def _services() -> Services:
    """Clients and credentials are shared."""
    keep_sdk_quiet()
    return Services(profile=_setting("profile"))


def _setting(name: str) -> str:
    """One of :data:`SETTINGS`; empty if the stack's configuration does not say."""
    return _configured.get(f"{_OURS}:{name}") or _configured.get(f"{_AWS}:{name}") or ""


def _default_region() -> str:
    return _setting("region") or _services().default_region()


def _table() -> str:
    return _configured.get(LEDGER_CONFIG) or os.environ.get(LEDGER_VARIABLE, "")


def _ledger() -> Ledger:
    services, table = _services(), _table()
    if not table:
        return _memory
    return DynamoDBLedger(services, table, "" if table.startswith("arn:") else _default_region())


def _lifecycle() -> Lifecycle:
    return Lifecycle(_services(), _ledger())


def _short_errors(method: Callable[_P, _R]) -> Callable[_P, _R]:
    """The host shows a failure as a whole traceback; leave out every frame and cause below this one."""

    @functools.wraps(method)
    def shortened(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return method(*args, **kwargs)
        except AssociationError as error:
            if not error.action:
                kind = cast(AssociationProvider, args[0]).kind
                WORDS.tell(error, _DOING[method.__name__], kind.noun, kind)
            raise error.with_traceback(None) from None

    return shortened


class AssociationProvider(ResourceProvider):
    """The lifecycle of one kind of association in a Pulumi stack.

    Stored in users' state by reference, that is by the import path of the subclass: neither may ever be renamed.
    """

    serialize_as_secret_always = False
    kind: ClassVar[Kind]

    def __reduce__(self) -> tuple[type[AssociationProvider], tuple[()]]:
        """Store the class and nothing of the instance."""
        return type(self), ()

    def configure(self, req: ConfigureRequest) -> None:
        """Take from the stack's configuration what is ours, and what it says of AWS."""
        ours = (LEDGER_CONFIG, *(f"{_OURS}:{name}" for name in SETTINGS))
        for name in (*ours, *(f"{_AWS}:{name}" for name in (*SETTINGS, *_NOT_HONOURED))):
            _configured[name] = str(req.config.get(name) or "")

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse what can never be granted, without any call; what is not known yet is let through."""
        known = {name: value for name, value in news.items() if not isinstance(value, Unknown)}
        given = {name: value for name, value in known.items() if value is not None}
        failures = _wrong_configuration(self.kind)
        if not failures:
            failures.update(violations(_services(), self.kind, given, WORDS))
            failures.update(typed_options(_services(), self.kind, known_only(given))[1])
        for part in self.kind.parts:
            if news.get(part.name) is None and part.default is None:
                failures[part.name] = "is missing"
        failures.update(wrong_settings(known, self.kind))
        if not failures:
            failures.update(too_long(self.kind, given))
        return CheckResult(dict(news), [CheckFailure(name, reason) for name, reason in failures.items()])

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another identity is a replacement, and so is another value of an option that the association keeps.

        Any other input is an update, so that the outputs, which delete reads, have it; ``__provider`` is none (its
        bytes vary with Python's version). What this run has revoked for another resource, before it knew of this one,
        is an update as well: it grants it again.
        """
        known = parse_or_none(self.kind, id_)
        revoked = known is not None and self._shows_revoked(known, olds)
        moved = [part.name for part in self.kind.parts if self._differs(part, olds, news)] + changed_region(olds, news)
        lasting, passing = options_of(self.kind)
        replaces = moved + changed(lasting, olds, news)
        if replaces and known is not None:
            _run.replacing(owner_of(olds), known, owner_of(news))
        updates = changed([*_OF_EVERY_KIND, *passing], olds, news)
        # Created first, a replacement that fails changes nothing; the same association cannot be there twice.
        created_first = moved and not self.kind.look.exclusive
        return DiffResult(
            changes=bool(replaces or updates or revoked),
            replaces=replaces,
            delete_before_replace=bool(replaces and not created_first),
        )

    @_short_errors
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Grant, and return when the service says so."""
        services = _services()
        region = props.get("region") or _default_region()
        request_id = _request_id()
        request = self._request(region, {**props, REQUEST_ID: request_id}, request_id=request_id)
        identity = self._identify(region, props, request)
        on_existing = ON_EXISTING[props.get("on_existing", "fail")]
        options, _ = typed_options(services, self.kind, props)
        _run.show(request.owner)
        granted = self._create_or_undo(Desired(identity, on_existing, options), request)
        for owner, left in _run.created(request.owner, granted.id):
            self._revoke_left(owner, left, props)
        code = 0 if granted.status_code is None else granted.status_code
        outs = outputs(self.kind, props, granted.id, granted.status)
        internal = {**defaulted(self.kind, props), REQUEST_ID: request_id}
        return CreateResult(granted.id.text, {**outs, **internal, "status_code": code})

    @_short_errors
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What is there now. Only what the service says is absent is gone; an error keeps the state as it is.

        One list of a party answers the reads of ten seconds: a refresh asks for everything at once.
        """
        lifecycle = _lifecycle()
        known = parse(self.kind, id_)
        request = self._request(known.identity.region, props)
        _run.show(request.owner)
        lifecycle.show(known, request)
        _run.holds(known.identity)
        try:
            sighting = lifecycle.read(known.identity, request, lately=True)
        except AssociationError as error:
            if not lifecycle.has_ended(error, self.kind):
                raise
            # A refresh must not fail for ever, nor forget what nobody revoked.
            request.host.note(
                "service-ended", {"association": request.named(known.identity), "cause": error.cause}, warning=True
            )
            return ReadResult(id_, dict(props))
        if sighting is None:
            lifecycle.forget(known, request)
            return ReadResult("", {})
        # The inputs stay as they were declared: none of them can drift while the association is there.
        return ReadResult(id_, outputs(self.kind, props, known, sighting.status))

    @_short_errors
    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Take over inputs that change nothing about what is granted; the outputs stay complete.

        Another revision looks, and grants again what is gone; so does what this run has revoked for another resource.
        """
        known = parse(self.kind, id_)
        status = str(olds.get(self.kind.status_name, ""))
        self._rename(known, olds, news)
        if _run.was_revoked(known.identity) or olds.get("revision") != news.get("revision"):
            status = self._grant_again(known, olds, news)
        options = {option.name for option in self.kind.options}
        kept = {name: value for name, value in olds.items() if name not in options}
        outs = outputs(self.kind, {**kept, **news}, known, status)
        return UpdateResult({**outs, **defaulted(self.kind, news)})

    @_short_errors
    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Revoke, unless another resource holds it; absent already is success."""
        self._delete(parse(self.kind, id_), props)

    # -- granting and revoking ----------------------------------------------------------------------------------------

    def _create_or_undo(self, desired: Desired, request: Request) -> Granted:
        """Create, or drop what a failure leaves: Pulumi keeps nothing of it, and its engine sends no delete."""
        timed = replace(request, deadline=request.deadline.part(_CREATE_SHARE))
        try:
            return self._create_once_shown(desired, timed)
        except AssociationError as error:
            _run.failed(request.owner)
            if error.outcome_unknown or isinstance(error, LedgerUnavailable):
                self._undo(request, error)
            elif isinstance(error, AlreadyExists) and _run.was_revoked(desired.identity):
                error.cause += "; this run revoked it, so somebody else has granted it since"
            elif isinstance(error, AlreadyExists) and not _table():
                error.advice += _RENAMED_OR_SWAPPED
            raise

    def _create_once_shown(self, desired: Desired, request: Request) -> Granted:
        """Create. What is there may be of a resource that the engine has not shown yet: in an exchange, say."""
        try:
            return _lifecycle().create(desired, request)
        except AlreadyExists:
            if _table() or not _run.will_hold(desired.identity):
                raise
            return _lifecycle().create(desired, replace(request, request_id=_request_id()))

    def _undo(self, request: Request, error: AssociationError) -> None:
        """Drop what a failed create left pending; the error tells if that fails as well."""
        dropping = replace(request, request_id=_request_id(), physical_id=marker(request.owner.name[-1]))
        try:
            _lifecycle().delete(self.kind, dropping)
        except AssociationError as left:
            if error.outcome_unknown:
                error.cause += f"; undoing it failed as well ({left.code}: {left.cause})"
            error.advice += _IN_THE_LEDGER if _table() else _IN_NO_STATE
        else:
            error.outcome_unknown = False

    def _delete(self, known: AssociationId, props: Mapping[str, Any]) -> None:
        identity = known.identity
        with _run.deleting(identity):
            request = self._request(identity.region, props, physical_id=known.text)
            removal = _lifecycle().delete(self.kind, request)
            if removal is Removal.REVOKED:
                _run.revoked(identity)
            elif removal is Removal.RELEASED:
                _run.released(identity)

    def _shows_revoked(self, known: AssociationId, outs: Mapping[str, Any]) -> bool:
        """Whether this run revoked for another resource what the state shows here. Never calls the service."""
        with suppress(AssociationError):  # a preview goes on without the ledger; a write says that it does not answer
            self._show(known, outs)
        return _run.was_revoked(known.identity)

    def _show(self, known: AssociationId, outs: Mapping[str, Any]) -> None:
        """Tell run and ledger what the state has. Never calls the service."""
        request = self._shown(known, outs)
        _run.show(request.owner)
        _lifecycle().show(known, request)
        _run.holds(known.identity)

    def _shown(self, known: AssociationId, outs: Mapping[str, Any]) -> Request:
        owner, account = owner_of(outs), known.identity.account
        return Request(owner, _request_id(), account, self._deadline(outs), _host(owner), _now(), known.text)

    def _rename(self, known: AssociationId, olds: Mapping[str, Any], news: Mapping[str, Any]) -> None:
        """Let the claim go on under the new name of a resource, its parent or its stack: its delete will come so."""
        renamed = {**olds, "declared_by": news["declared_by"]}
        if owner_of(renamed) != owner_of(olds):
            self._show(known, renamed)
            _lifecycle().forget(known, self._shown(known, olds))

    def _revoke_left(self, owner: Owner, left: AssociationId, props: Mapping[str, Any]) -> None:
        """Revoke what an earlier delete left to what a create has replaced now. It never fails what was created."""
        declared_by = [*owner.stack, *owner.name]
        outs = {**props, "declared_by": declared_by, REQUEST_ID: owner.created_by}
        try:
            self._delete(left, outs)
        except Exception as error:  # noqa: BLE001 - whatever it was, what was created must get into the state
            if getattr(error, "outcome_unknown", True):
                _run.revoked(left.identity)  # whoever is seen later looks, and grants it again if need be
            cause = getattr(error, "cause", type(error).__name__)
            _host(owner).note("may-remain", {"association": WORDS.named(left.identity), "cause": cause}, warning=True)

    def _grant_again(self, known: AssociationId, olds: Mapping[str, Any], news: Mapping[str, Any]) -> str:
        options, _ = typed_options(_services(), self.kind, news)
        desired = Desired(known.identity, OnExisting.FAIL, options)
        outs = {**olds, **{name: news.get(name) for name in ("timeout_seconds", "declared_by")}}
        request = self._request(known.identity.region, outs, physical_id=known.text)
        try:
            granted = _lifecycle().update(desired, request, heal=True)
        except AssociationError as error:
            error.advice += " Then run `pulumi up --refresh`, which grants what is missing."
            raise
        _run.granted(known.identity)
        return granted.status

    # -- translation ------------------------------------------------------------------------------------------------

    def _identify(self, region: str, props: Mapping[str, Any], request: Request) -> Identity:
        """The identity that the properties mean."""
        values = {part.name: str(props[part.name]) for part in self.kind.parts if props.get(part.name) is not None}
        lifecycle = Lifecycle(_services(), _memory)
        return lifecycle.identify(self.kind, request.account, region, values, request.deadline, request.host)

    def _differs(self, part: Part, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
        old, new = olds.get(part.name), news.get(part.name)
        if new is None and isinstance(part.default, str):
            new = part.default
        if new is None and isinstance(part.default, Asked):
            # It was written out and is left out now: only the service knows whether that means the same.
            return part.name not in (olds.get(DEFAULTED) or ()) and not self._means_default(part, olds, news)
        if isinstance(old, str) and isinstance(new, str):
            old, new = part.compared_as(old), part.compared_as(new)
        return bool(old != new)  # what is not known yet is unequal to everything

    def _means_default(self, part: Part, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
        region = news.get("region") or olds["region"]
        if any(isinstance(value, Unknown) for value in (region, *(news.get(other.name) for other in self.kind.parts))):
            return False
        try:
            # A plan waits shorter than a deployment, and the time-out of the new inputs may not be known yet.
            request = self._request(region, {**olds, "timeout_seconds": _ASKING_TIMEOUT})
            identity = self._identify(region, news, request)
        except AssociationError:
            return False  # a replacement is the safe side: it ends with what is declared
        return part.compared_as(identity[part.name]) == part.compared_as(str(olds.get(part.name)))

    def _deadline(self, props: Mapping[str, Any]) -> Deadline:
        return Deadline(SystemClock(), float(props.get("timeout_seconds") or self.kind.timeout_seconds))

    def _request(
        self, region: str, props: Mapping[str, Any], *, request_id: str = "", physical_id: str = ""
    ) -> Request:
        deadline, owner = self._deadline(props), owner_of(props)
        account = _services().account(region, deadline)
        return Request(owner, request_id or _request_id(), account, deadline, _host(owner), _now(), physical_id)


def _wrong_configuration(kind: Kind) -> dict[str, str]:
    """What the stack's configuration says of credentials and is not obeyed: they would be those of somebody else."""
    profile = f"{_OURS}:profile"
    ignored = [f"{_AWS}:{name}" for name in _NOT_HONOURED if _configured.get(f"{_AWS}:{name}")]
    if ignored and not _configured.get(profile):
        cure = f"Name a profile of the AWS configuration that does the same: `pulumi config set {profile} <name>`"
        return {"": f"{', '.join(ignored)} in the stack's configuration is for Pulumi's AWS provider only. {cure}"}
    try:
        _services().model(kind)
    except AssociationError as error:  # a profile that does not exist, say
        return {"": str(error)}
    return {}


def _now() -> float:
    return _services().utc_now().timestamp()


def _request_id() -> str:
    """32 hexadecimal digits, the time first: see :data:`REQUEST_ID`."""
    return f"{int(_now() * 1_000_000):016x}{uuid.uuid4().hex[:16]}"


def _host(owner: Owner) -> RunHost:
    return RunHost(_run, owner, _say)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
