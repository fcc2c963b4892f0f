"""What the SDK and moto do over and over in one process is done once: no test is about it, and all of them pay for it.

Hundreds of clients are made in one run. For each of them botocore reads files, lists folders, renames events and looks
into handlers anew; for each mock moto makes a thousand answers for ``requests``, by which nothing here calls AWS.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import botocore.hooks
import botocore.loaders
import moto.core.models
import pytest


@pytest.fixture(scope="session", autouse=True)
def cheap_clients() -> Iterator[None]:
    """Clients and mocks that behave as ever."""
    with pytest.MonkeyPatch.context() as patch:
        _read_models_once(patch)
        _name_events_once(patch)
        patch.setattr(botocore.hooks, "accepts_kwargs", _accepts_kwargs(botocore.hooks.accepts_kwargs))
        patch.setattr(moto.core.models, "RESPONSES_METHODS", [])
        yield


def _read_models_once(patch: pytest.MonkeyPatch) -> None:
    files, folders = botocore.loaders.JSONFileLoader, botocore.loaders.Loader
    read = functools.cache(files().load_file)
    patch.setattr(files, "load_file", lambda _, path: read(path))
    list_anew = folders.list_available_services
    known: dict[tuple[str, ...], list[str]] = {}

    def listed(self: Any, type_name: str) -> list[str]:
        key = (*self.search_paths, type_name)
        if key not in known:
            known[key] = list_anew(self, type_name)
        return known[key]

    patch.setattr(folders, "list_available_services", listed)


def _name_events_once(patch: pytest.MonkeyPatch) -> None:
    aliases = botocore.hooks.EventAliaser
    make, names = aliases.__init__, dict[str, str]()

    def share_names(self: Any, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs)
        self._alias_name_cache = names

    patch.setattr(aliases, "__init__", share_names)


def _accepts_kwargs(ask_anew: Callable[[Any], bool]) -> Callable[[Any], bool]:
    def accepts(handler: Any) -> bool:
        code = getattr(handler, "__code__", None)
        return ask_anew(handler) if code is None else bool(code.co_flags & inspect.CO_VARKEYWORDS)

    return accepts
