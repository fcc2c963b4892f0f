"""What every run of the tests tells at its end."""

from tests.contract.summary import pytest_terminal_summary as pytest_terminal_summary

pytest_plugins = ["tests.cheap", "tests.order", "tests.policy", "tests.without_pulumi"]
