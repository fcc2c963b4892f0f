"""What Pulumi's users call things in a Python program."""

from __future__ import annotations

from aws_associations.vocabulary import DELETING, Vocabulary

WORDS = Vocabulary(
    called=lambda member: member.name,
    adopt="on_existing='adopt'",
    more_time="raise timeout_seconds",
    set_region="set region to",
    again="run `pulumi up` again",
    again_after={DELETING: "run `pulumi up` or `pulumi destroy` again", "reading": "run `pulumi refresh` again"},
)
