"""The page that the people who write modules copy from, and its snippets, as they stand."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "data" / "tls-certificates.md"


def snippets(language):
    """The fenced blocks of this language, in order, unedited."""
    return re.findall(r"^```%s\n(.*?)^```$" % language, PAGE.read_text(), re.M | re.S)
