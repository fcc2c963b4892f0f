"""Lists that concurrent operations share: one read of a party's list answers everybody who waits for it.

Nothing is kept for who comes later, but for a refresh: whoever asks gets a list whose reading began after that, and so
after every write that was answered to the asking operation before. Nothing here knows what is listed.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aws_associations.errors import AccessDenied, AssociationError, NotFound
from aws_associations.waiting import Deadline

Page = Mapping[str, Any]


class Listing:
    """One list, as it is from the moment on at which its reading begins. Pages are read when first needed.

    Attributes:
        key: what is listed.
        begun: when its first page was asked for; None: it has not been.
    """

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.begun: float | None = None
        self.pages: list[Page] = []
        self.error: AssociationError | None = None
        self.reading = False


class Listings:
    """The lists that are being read. Safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._joined: dict[Hashable, Listing] = {}
        self._beginning: dict[Hashable, Listing] = {}
        self._recent: dict[Hashable, Listing] = {}

    def join(self, key: Hashable) -> Listing:
        """The list that is read next. One whose reading has begun already is no evidence for who comes now."""
        with self._changed:
            return self._joined.setdefault(key, Listing(key))

    def recent(self, key: Hashable, since: float) -> tuple[Listing, bool]:
        """A list whose reading began at that moment at the earliest, and whether it had begun before now.

        For what decides nothing that is written.
        """
        with self._changed:
            known = self._recent.get(key)
            if known is not None and known.error is None and known.begun is not None and known.begun >= since:
                return known, True
            known = self._recent[key] = self._joined.setdefault(key, Listing(key))
            return known, False

    @contextmanager
    def changing(self, key: Hashable) -> Iterator[None]:
        """A write to the party: what was listed before its answer came is not shown to anybody who asks later."""
        with self._changed:
            self._recent.pop(key, None)
        try:
            yield
        finally:
            with self._changed:
                self._recent.pop(key, None)

    def page(self, listing: Listing, number: int, read: Callable[[], Page], deadline: Deadline) -> Page:
        """One page, read by whoever needs it first; pages are asked for in their order.

        Args:
            listing: of :meth:`join`.
            number: counts from 0.
            read: calls the service, within the deadline.
            deadline: of who asks.

        Raises:
            AssociationError: what the service answered to whoever read it, for each an error of its own.
        """
        with self._changed:

            def decided() -> bool:
                is_known = number < len(listing.pages) or listing.error is not None
                return is_known or not (listing.reading or (number == 0 and listing.key in self._beginning))

            in_time = self._changed.wait_for(decided, deadline.remaining)
            if number < len(listing.pages):
                return listing.pages[number]
            if listing.error is not None:
                raise _anew(listing.error)
            if in_time:
                self._begin(listing, number, deadline.moment)
        # Out of time: the call says so in the words of every other call.
        return self._read(listing, number, read, deadline) if in_time else read()

    def _begin(self, listing: Listing, number: int, moment: float) -> None:
        listing.reading = True
        if number == 0:
            listing.begun = moment
            self._beginning[listing.key] = listing
            if self._joined.get(listing.key) is listing:
                del self._joined[listing.key]

    def _read(self, listing: Listing, number: int, read: Callable[[], Page], deadline: Deadline) -> Page:
        page, failed = None, None
        try:
            page = read()
        except AssociationError as error:
            # Any other failure may be this call's alone: the next one reads, as if nobody had shared.
            if isinstance(error, (NotFound, AccessDenied)):
                failed = _anew(error)
            raise
        finally:
            with self._changed:
                listing.reading, listing.error = False, failed
                if page is not None:
                    listing.pages.append(page)
                if self._beginning.get(listing.key) is listing:
                    del self._beginning[listing.key]
                self._changed.notify_all()
        return page


def _anew(error: AssociationError) -> AssociationError:
    """An error of one's own: whoever raises it adds what it was doing."""
    again = copy.copy(error)
    again.__cause__ = error.__cause__
    return again
