"""Files that are written by hand but for some marked regions."""

from __future__ import annotations

import re

_COMMENTS = {"yaml": ("# ", ""), "md": ("<!-- ", " -->")}


def filled(text: str, language: str, contents: dict[str, str]) -> str:
    """The text with each named region replaced; the markers stay.

    A region begins with a line that holds ``generated: <name>`` as a comment and ends with ``end of <name>``.

    Args:
        text: the whole file.
        language: ``yaml`` or ``md``, whose comments the markers are.
        contents: name of a region → its lines.

    Raises:
        ValueError: the file has no such region.
    """
    before, after = _COMMENTS[language]
    for name, content in contents.items():
        begin, end = f"{before}generated: {name} (make generate){after}", f"{before}end of {name}{after}"
        pattern = re.compile(rf"^([ ]*{re.escape(begin)}\n).*?^([ ]*{re.escape(end)})$", re.MULTILINE | re.DOTALL)
        lines = content.rstrip("\n") + "\n" if content else ""
        text, count = pattern.subn(lambda found, lines=lines: found[1] + lines + found[2], text)  # type: ignore[misc]
        if count != 1:
            raise ValueError(f"{count} regions are named {name}; there must be one")
    return text
