"""Hold a line of words while its parts are taken out, each part knowing the words that it came from.

Patterns are matched against `folded`: as long as the text, letter for letter, in lower case and without accents. What
has been taken is a row of `GONE` there, which no pattern reaches across; a pair of coordinates is a row of `POINT`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 300  # letters that are read
GONE, POINT = "|", "\ue000"
PARTING = re.compile(r"[|,;!?]|(?<=\w{5})\.(?=\s|$)|(?<=\W)\.(?=\s|$)")  # a point behind few letters shortens them: Av.


def folded(text: str) -> str:
    """Return a text in lower case without accents, letter for letter."""
    return "".join(unicodedata.normalize("NFD", letter.lower())[0] for letter in text)


class Wording:
    """A line of words, and what of it has not been taken yet."""

    def __init__(self, text: str) -> None:
        """Take the first `LONGEST` letters; white space of any kind and length is one space."""
        whole = " ".join(unicodedata.normalize("NFC", text).replace(GONE, ",").replace(POINT, " ").split())
        self.text, self.cut = whole[:LONGEST], whole[LONGEST:]
        self.folded = folded(self.text)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return the first match and take it out."""
        found = pattern.search(self.folded)
        if found is not None:
            self.remove(*found.span())
        return found

    def remove(self, begin: int, end: int, by: str = GONE) -> None:
        """Take out a stretch of the line."""
        self.folded = self.folded[:begin] + by * (end - begin) + self.folded[end:]

    def fragments(self) -> Iterator[tuple[int, int]]:
        """Yield where each stretch of what is left begins and ends, parted by what was taken and by commas."""
        at = 0
        for begin, end in [*(found.span() for found in PARTING.finditer(self.folded)), (len(self.folded),) * 2]:
            if self.folded[at:begin].strip(" ."):
                yield at, begin
            at = end
