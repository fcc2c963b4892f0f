"""What whoever runs Pulumi reads: the names of the program, and how to run Pulumi again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from aws_associations.kind import Kind
from engines.pulumi_host import HostError
from tests.provider.kinds import Declared, every_kind


def _said(attempt: Callable[[], object]) -> str:
    with pytest.raises(HostError) as failed:
        attempt()
    return str(failed.value)


@every_kind
def test_every_message_is_in_the_programs_words(kind: Kind, declared_kind: Declared) -> None:
    """A create, a refresh and a delete that fail: each part by its Python name, and the command that repeats."""
    it = declared_kind
    created = it.create()
    it.scenery.revoke(it.scenery.values)
    it.scenery.grant(it.scenery.values)
    it.control.add_fault("error", service=kind.service, error_code="AccessDeniedException", status=403, count=None)
    again: dict[str, tuple[str, Callable[[], object]]] = {
        "creating": ("run `pulumi up` again", it.create),
        "reading": ("run `pulumi refresh` again", lambda: it.read(created)),
        "deleting": ("run `pulumi up` or `pulumi destroy` again", lambda: it.delete(created)),
    }

    for doing, (repeat, attempt) in again.items():
        said = _said(attempt)
        assert f"{doing} {kind.noun} " in said
        assert repeat in said
        assert all(f"{part.name} {it.scenery.values[part.name]!r}" in said for part in kind.parts)
        assert not any(f"{part.property_name} " in said for part in kind.parts)
        assert not re.search(r"\{\w+\}|eploy again|OnExisting|TimeoutSeconds|stack", said), said


@every_kind
def test_what_is_there_already_is_adopted_by_its_pulumi_name(declared_kind: Declared) -> None:
    """Every way to go on, in the words of a program."""
    declared_kind.scenery.grant(declared_kind.scenery.values)

    said = _said(declared_kind.create)

    assert "declare on_existing='adopt'. " in said
    assert "OnExisting" not in said


@every_kind
def test_a_wrong_input_is_shown_with_what_was_meant(kind: Kind, declared_kind: Declared) -> None:
    """All of them at once, each with its value; an account or realm in the wrong place, by the program's names."""
    it = declared_kind
    wrong = {part.name: "\u2028" * 300 for part in kind.parts}

    failures = {failure.property: failure.reason for failure in it.check(**wrong).failures}

    assert failures.keys() == wrong.keys()
    assert all("'\\u2028" in reason for reason in failures.values())
    if "member_realm" in wrong:
        (failure,) = it.check(member_name="bob@corp.example.com").failures
        assert failure.reason.endswith("(declare member_name 'bob' and member_realm 'corp.example.com')")
