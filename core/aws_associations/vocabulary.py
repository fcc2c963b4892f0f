"""What one host calls the things that messages name, so that users read the words of their own template or program.

A text of the core names such a thing in braces: ``{again}``, ``{adopt}``, ``{more_time}``, ``{set_region}``, or a part
such as ``{member_name}``. Only texts of our own are filled in so, never what a service or a user wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from aws_associations.errors import AssociationError
from aws_associations.identity import Identity
from aws_associations.kind import Kind, Option, Part

DELETING = "deleting"
"""What is being done when a user cannot simply deploy again."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one host.

    Attributes:
        called: how a part or an option is spelled, for example ``MemberName``.
        adopt: how a resource asks to take what is there, for example ``OnExisting: Adopt``.
        more_time: how a user gives an operation more time; a clause that begins with a verb.
        set_region: how a user moves a resource to another region; a clause that the region follows.
        again: how a user repeats what failed; a clause that begins with a verb.
        again_after: the same, where it differs by what was being done, for example ``deleting``.
    """

    called: Callable[[Part | Option], str]
    adopt: str
    more_time: str
    set_region: str
    again: str
    again_after: Mapping[str, str] = field(default_factory=dict)

    def named(self, identity: Identity, but: Collection[str] = ()) -> str:
        """An association as ``MemberName 'u' in GroupName 'g' (DirectoryId 'd', account 111122223333, eu-west-1)``.

        Args: but: names of the parts that are not known.
        """
        kind, parts = identity.kind, identity.parts()
        told = {part.name: f"{self.called(part)} {parts[part.name]!r}" for part in kind.parts}
        scope = [told[part.name] for part in kind.scope if part.name not in but]
        granting, member = (told[party.name] for party in kind.parties)
        place = ", ".join([*scope, f"account {identity.account}", identity.region])
        return f"{member} {kind.preposition} {granting} ({place})"

    def say(self, text: str, kind: Kind | None = None, doing: str = "") -> str:
        """A text of ours in the words of the host.

        Args:
            text: with names in braces.
            kind: whose parts it may name.
            doing: what was being done, for example ``creating``.
        """
        words = {"adopt": self.adopt, "more_time": self.more_time, "set_region": self.set_region}
        words["again"] = self.again_after.get(doing, self.again)
        words |= {part.name: self.called(part) for part in (kind.parts if kind else ())}
        for word, said in words.items():
            text = text.replace(f"{{{word}}}", said)
        return text

    def tell(self, error: AssociationError, doing: str, what: str, kind: Kind | None = None) -> None:
        """Say in an error what was being done to what, and in the words of the host what to do next."""
        error.action = f"{doing} {what}"
        error.advice = self.say(error.advice, kind, doing)
