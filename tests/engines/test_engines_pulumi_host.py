"""The host of dynamic providers."""

import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.pulumi_host import UNKNOWN, Failure, HostError, PulumiHost, Secret, serialize_provider

TOY = """
import os
from pulumi.dynamic import CheckFailure, CheckResult, ConfigureRequest, CreateResult, DiffResult
from pulumi.dynamic import ReadResult, ResourceProvider, UpdateResult
from pulumi.output import Unknown

class Provider(ResourceProvider):
    serialize_as_secret_always = False

    def configure(self, req):
        self.greeting = req.config.get("greeting")

    def check(self, olds, news):
        failures = []
        if isinstance(news.get("name"), Unknown):
            failures.append(CheckFailure("name", "is unknown"))
        return CheckResult(news, failures)

    def diff(self, id, olds, news):
        changed = olds["name"] != news["name"]
        return DiffResult(changes=changed, replaces=["name"] if changed else [], delete_before_replace=True)

    def create(self, props):
        if props["name"] == "bad":
            raise ValueError("bad is not a name")
        if props["name"] == "dead":
            os._exit(3)
        print("creating", props["name"])
        return CreateResult("id-" + props["name"], {**props, "greeting": self.greeting, "toy": os.environ["TOY"]})

    def read(self, id, props):
        if props["name"] == "gone":
            return ReadResult("", {})
        return ReadResult(id, {**props, "read": True}, inputs={"name": props["name"]})

    def update(self, id, olds, news):
        return UpdateResult({**olds, **news})

    def delete(self, id, props):
        print("deleting", id)
"""


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serialize a provider that lives in a module of its own, beside the program."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "engines_host_toy.py").write_text(textwrap.dedent(TOY))
    sys.path.insert(0, str(folder))
    try:
        from engines_host_toy import Provider  # type: ignore[import-not-found]

        yield serialize_provider(Provider()), folder
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("engines_host_toy", None)


@pytest.fixture(scope="module")
def host(provider: tuple[str, Path]) -> Iterator[PulumiHost]:
    """Start one host for the tests that leave it as it was."""
    text, folder = provider
    with PulumiHost(text, cwd=folder, environment={"TOY": "train"}, config={"project:greeting": "hello"}) as running:
        yield running


def test_a_provider_in_a_module_is_serialized_by_reference(provider: tuple[str, Path]) -> None:
    """The text is that of pulumi.dynamic: short, because the module's name is all it holds."""
    assert len(provider[0]) < 120


def test_a_resource_lives_through_every_call(host: PulumiHost) -> None:
    """Check, create, diff, update, read and delete reach the provider and bring its answers back."""
    inputs = host.check({"name": "a", "size": 3, "tags": ["x", {"y": False}]}).inputs
    assert inputs == {"name": "a", "size": 3, "tags": ["x", {"y": False}]}
    created = host.create(inputs)
    assert created.id == "id-a"
    assert created.outputs == {**inputs, "greeting": "hello", "toy": "train"}
    assert host.diff("id-a", created.outputs, inputs).changes is False
    difference = host.diff("id-a", created.outputs, {**inputs, "name": "b"})
    assert (difference.changes, difference.replaces, difference.delete_before_replace) == (True, ("name",), True)
    assert host.update("id-a", created.outputs, {**inputs, "size": 4})["size"] == 4
    found = host.read("id-a", created.outputs)
    assert (found.id, found.outputs["read"], found.inputs, found.gone) == ("id-a", True, {"name": "a"}, False)
    assert host.read("id-g", {"name": "gone"}).gone
    host.delete("id-a", created.outputs)
    host.cancel()
    assert "creating a\ndeleting id-a\n" in host.output


def test_unknowns_and_secrets_keep_their_nature(host: PulumiHost) -> None:
    """What is unknown or secret arrives as such at the provider and comes back as such."""
    checked = host.check({"name": UNKNOWN, "password": Secret("p")}, {"name": "a"})
    assert checked.failures == (Failure("name", "is unknown"),)
    assert checked.inputs == {"name": UNKNOWN, "password": Secret("p")}


def test_an_exception_in_the_provider_is_an_error_with_its_message(host: PulumiHost) -> None:
    """The message is the exception's own line; the traceback that a user would see is kept."""
    with pytest.raises(HostError) as caught:
        host.create({"name": "bad"})
    assert caught.value.message == "ValueError: bad is not a name"
    assert "Traceback" in caught.value.details


def test_the_death_of_the_host_is_told(provider: tuple[str, Path]) -> None:
    """When the process dies under a call, the error says so; afterwards nothing is left running."""
    text, folder = provider
    with PulumiHost(text, cwd=folder, environment={"TOY": "train"}) as host:
        pid = host.pid
        with pytest.raises(HostError, match=r"Create: pulumi\.dynamic ended with exit status 3"):
            host.create({"name": "dead"})
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)
