"""The form in which a server keeps names and values."""

from typing import Final

_SPACE: Final = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""White space as JavaScript trims it."""


def trimmed(text: str) -> str:
    """The text without white space around it: how a server knows a name."""
    return text.strip(_SPACE)


def as_stored(value: str) -> str:
    """What a server keeps of a value: without white space around it, but for one final line break if it had one."""
    return trimmed(value) + ("\n" if value.endswith("\n") else "")
