"""The Lambda service around the real runtime client."""

import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.lambda_runtime import FUNCTION_ARN, LambdaRuntime

HANDLER = """
import logging, os, sys, threading, time

calls = 0
ticks = 0

def tick():
    global ticks
    while True:
        time.sleep(0.01)
        ticks += 1

threading.Thread(target=tick, daemon=True).start()

def handle(event, context):
    global calls
    calls += 1
    print("printed", event)
    logging.getLogger().error("logged")
    match event:
        case {"do": "raise"}:
            raise ValueError("no")
        case {"do": "exit"}:
            os._exit(4)
        case {"do": "sleep", "seconds": seconds}:
            time.sleep(seconds)
        case {"do": "import", "name": name}:
            __import__(name)
        case {"do": "ticks"}:
            return ticks
        case {"do": "large"}:
            return "x" * 3_000_000
    return {
        "calls": calls,
        "remaining": context.get_remaining_time_in_millis(),
        "arn": context.invoked_function_arn,
        "request": context.aws_request_id,
        "name": context.function_name,
        "greeting": os.environ.get("GREETING"),
        "home": os.environ["HOME"],
    }
"""


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a zip with a handler that does as the event tells."""
    path = tmp_path_factory.mktemp("code") / "toy.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy.py", HANDLER)
        archive.writestr("broken.py", "raise RuntimeError('broken at import')")
    return path


@pytest.fixture(scope="module")
def runtime(code: Path) -> Iterator[LambdaRuntime]:
    """Start one environment for the tests that leave it as it was."""
    with LambdaRuntime("toy.handle", code, environment={"GREETING": "hello"}) as running:
        yield running


def test_one_process_serves_events_with_lambdas_context(runtime: LambdaRuntime) -> None:
    """The handler sees environment, deadline, ARN and request id; the second event finds the process warm."""
    first = runtime.invoke({"n": 1}, timeout=20)
    second = runtime.invoke({"n": 2}, remaining=3, request_id="r-2", function_arn=f"{FUNCTION_ARN}:live")
    assert (first.error, first.cold, second.error, second.cold) == (None, True, None, False)
    assert second.response["calls"] == first.response["calls"] + 1
    assert 18_000 < first.response["remaining"] <= 20_000
    assert 2_000 < second.response["remaining"] <= 3_000
    assert (second.response["request"], second.response["arn"]) == ("r-2", f"{FUNCTION_ARN}:live")
    assert (first.response["name"], first.response["greeting"]) == ("aws-associations", "hello")
    assert first.response["home"] != os.environ.get("HOME")
    assert "printed {'n': 2}" in second.log
    assert "logged" in second.log
    assert "{'n': 1}" not in second.log
    assert "{'n': 1}" in runtime.log


def test_an_exception_is_lambdas_error_payload(runtime: LambdaRuntime) -> None:
    """What the handler raises is reported as Lambda does, and the process goes on."""
    failed = runtime.invoke({"do": "raise"})
    assert failed.error is not None
    assert (failed.error["errorType"], failed.error["errorMessage"]) == ("ValueError", "no")
    assert not runtime.invoke({}).cold


def test_large_responses_arrive(runtime: LambdaRuntime) -> None:
    """A response of megabytes is not cut."""
    assert len(runtime.invoke({"do": "large"}).response) == 3_000_000


def test_only_what_lambda_has_can_be_imported(runtime: LambdaRuntime) -> None:
    """boto3 is there; other packages of this environment are not."""
    assert runtime.invoke({"do": "import", "name": "boto3"}).error is None
    missing = runtime.invoke({"do": "import", "name": "pytest"})
    assert missing.error is not None
    assert missing.error["errorType"] == "ModuleNotFoundError"


def test_a_process_that_ends_is_an_error_and_is_replaced(code: Path) -> None:
    """When the process dies, the event fails with Lambda's words and the next one starts a process."""
    with LambdaRuntime("toy.handle", code) as runtime:
        failed = runtime.invoke({"do": "exit"})
        assert failed.error is not None
        assert "exit status 4" in failed.error["errorMessage"]
        again = runtime.invoke({})
        assert (again.error, again.cold, again.response["calls"]) == (None, True, 1)


def test_a_handler_that_cannot_be_imported_is_an_error(code: Path) -> None:
    """A failure at import is what the event reports."""
    with LambdaRuntime("broken.handle", code) as runtime:
        failed = runtime.invoke({})
        assert failed.error is not None
        assert failed.error["errorMessage"] == "broken at import"


def test_it_is_killed_when_its_time_is_over(code: Path) -> None:
    """At the time-out the process is gone, and with it all that it would have done."""
    with LambdaRuntime("toy.handle", code, timeout=0.5) as runtime:
        assert runtime.invoke({}, timeout=10).error is None
        pid = runtime.pid
        late = runtime.invoke({"do": "sleep", "seconds": 60})
        assert late.timed_out
        assert late.error is not None
        assert "Task timed out after 0.50 seconds" in late.error["errorMessage"]
        assert "printed" in late.log
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.killpg(pid, 0)


def test_it_may_be_left_running_past_its_time(code: Path) -> None:
    """Where killing is turned off, the late response is returned."""
    with LambdaRuntime("toy.handle", code, timeout=0.2, kill_at_timeout=False) as runtime:
        late = runtime.invoke({"do": "sleep", "seconds": 0.5})
        assert (late.error, late.timed_out) == (None, False)


def test_it_can_be_frozen_between_events(code: Path) -> None:
    """Between events threads stand still, as in Lambda."""
    with LambdaRuntime("toy.handle", code, freeze=True) as runtime:
        before = runtime.invoke({"do": "ticks"}).response
        # Left running, a thread that ticks every 10 ms would have done so about 30 times.
        time.sleep(0.3)
        assert runtime.invoke({"do": "ticks"}).response - before < 20


def test_a_folder_is_used_as_a_copy(tmp_path: Path) -> None:
    """Running code from a folder leaves nothing in it."""
    (tmp_path / "toy.py").write_text(HANDLER)
    with LambdaRuntime("toy.handle", tmp_path) as runtime:
        assert runtime.invoke({}).error is None
    assert [path.name for path in tmp_path.iterdir()] == ["toy.py"]
