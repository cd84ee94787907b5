"""The cases of a hostile or broken CA, by what they bend. Importing this fills CASES."""

from . import chains, resources, tokens_and_urls, transport, words  # noqa: F401
from .case import CASES, EVIL, NAME
from .tokens_and_urls import PlainTrap

__all__ = ["CASES", "EVIL", "NAME", "PlainTrap"]
