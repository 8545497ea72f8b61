"""Read one line of words, English, Spanish or Portuguese, as the conditions of trips: by grammar and names, offline."""

from htp.words.line import LONGEST
from htp.words.reading import Read, Spot, understand

__all__ = ["LONGEST", "Read", "Spot", "understand"]
