"""Starting and stopping programs."""

import os
import sys
import time
from pathlib import Path

import pytest

from engines.processes import Program, ProgramFailed, hermetic_environment


def python(code: str) -> Program:
    """Start Python on the code."""
    return Program([sys.executable, "-u", "-c", code], env=hermetic_environment(), name="toy")


def gone(pid: int) -> bool:
    """Wait a moment for the process to be gone, and return whether it is."""
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_output_is_collected_and_waited_for() -> None:
    """Lines of both streams arrive, and a pattern finds its line with its groups."""
    with python("import sys; print('port 7'); print('oops', file=sys.stderr); sys.exit(3)") as program:
        assert program.wait_for_line(r"port (\d+)", timeout=10)[1] == "7"
        assert program.wait(timeout=10) == 3
        assert program.output == "port 7\noops\n"


def test_an_early_end_shows_status_and_output() -> None:
    """Waiting for what never comes ends with the program, and the error shows why it ended."""
    with (
        python("print('no licence'); raise SystemExit(9)") as program,
        pytest.raises(ProgramFailed, match=r"(?s)exit status 9.*no licence"),
    ):
        program.wait_for_line("ready", timeout=10)


def test_waiting_has_an_end() -> None:
    """A program that says nothing is not waited for longer than told."""
    with python("import time; time.sleep(60)") as program:
        with pytest.raises(ProgramFailed, match=r"within 0\.1 s.*\n\(no output\)"):
            program.wait_for_line("ready", timeout=0.1)
        with pytest.raises(ProgramFailed, match=r"did not answer within 0\.1 s"):
            program.wait_until(lambda: False, 0.1, "answer")


def test_children_are_stopped_too() -> None:
    """No child outlives the block: neither one that ignores the signal nor one in a process group of its own."""
    code = """
import signal, subprocess, sys, time
sleep = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"]
pids = [subprocess.Popen(sleep).pid, subprocess.Popen(sleep, process_group=0).pid]
print("children", *pids)
time.sleep(60)
"""
    with python(code) as program:
        match = program.wait_for_line(r"children (\d+) (\d+)", timeout=10)
    assert gone(program.pid)
    assert gone(int(match[1]))
    if Path("/proc").exists():
        assert gone(int(match[2]))


def test_the_environment_leads_to_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables and files that hold credentials do not reach a program, unless they are given."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "token")
    environment = hermetic_environment({"AWS_REGION": "eu-west-1"})
    assert "AWS_PROFILE" not in environment
    assert "PULUMI_ACCESS_TOKEN" not in environment
    assert environment["AWS_REGION"] == "eu-west-1"
    assert environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_a_missing_program_is_named() -> None:
    """What cannot be executed is an error with its name."""
    with pytest.raises(ProgramFailed, match="starting no-such-program"):
        Program(["no-such-program"], env={})
