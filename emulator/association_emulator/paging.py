"""Pages of a list: opaque tokens that are good for the list that issued them, and for no other."""

import secrets
from collections.abc import Hashable, Iterable
from typing import Any, TypeVar

Key = TypeVar("Key")


class WrongPageToken(ValueError):
    """The token was not issued by this list."""


class Pages:
    """The page tokens of one place. A token stands for the key of the last entry that was shown."""

    def __init__(self) -> None:
        self._issued: dict[str, tuple[Hashable, Any]] = {}

    def page(
        self, subject: Hashable, keys: Iterable[Key], size: int, token: str | None
    ) -> tuple[list[Key], str | None]:
        """Return a page of the keys in their order, and the token for the next one if more follows.

        ``subject``: which list it is, for instance the operation and the group.
        """
        rest: list[Any] = sorted(keys)
        if token is not None:
            issued_for, after = self._issued.get(token, (None, None))
            if issued_for != subject:
                raise WrongPageToken(token)
            rest = [key for key in rest if key > after]
        page = rest[:size]
        if len(rest) <= size:
            return page, None
        issued = secrets.token_urlsafe(24)
        self._issued[issued] = (subject, page[-1])
        return page, issued
