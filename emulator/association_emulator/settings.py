"""Switches and settings of a service: what documentation does not say, and how the emulator decides it.

A service's settings are a dataclass on ``Settings``. The type of a field says what it may be: a Literal is a switch, a
float a duration in seconds of the service clock, ``int | None`` a size up to the field's metadata ``max``.
"""

from dataclasses import Field, asdict, dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints


@dataclass
class Settings:
    """Settings that can be changed and shown by name. This very class: none."""

    def update(self, changes: dict[str, Any]) -> None:
        """Apply all changes, or none and raise ValueError that names the setting and what it may be."""
        known = {field.name: field for field in fields(self)}
        hints = get_type_hints(type(self))
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"setting {name!r} does not exist; there are {', '.join(known) or 'none'}")
            _check(known[name], hints[name], value)
        for name, value in changes.items():
            setattr(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return every setting by name."""
        return asdict(self)


def _check(setting: "Field[Any]", hint: Any, value: Any) -> None:
    if get_origin(hint) is Literal:
        choices = get_args(hint)
        expected, fits = f"one of {', '.join(choices)}", value in choices
    elif hint is float:
        expected, fits = "a number of seconds, 0 or more", _is_number(value) and value >= 0
    elif hint is bool:
        expected, fits = "true or false", isinstance(value, bool)
    elif hint is str:
        expected, fits = "text", isinstance(value, str)
    elif hint == int | None:
        most = setting.metadata["max"]
        expected = f"a whole number from 1 to {most}, or null"
        fits = value is None or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most)
    else:
        expected = "a list of access key ids, or null"
        fits = value is None or (isinstance(value, list) and all(isinstance(key, str) for key in value))
    if not fits:
        raise ValueError(f"setting {setting.name!r} must be {expected}, not {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
