"""Find the names of a city, its streets, places and zones, by words that people write: in part, misspelt, unaccented.

A name is found by its words: each word of the question looks for its like among the words of all names (rapidfuzz), and
a name scores the share of the question that it answers, a little less where it says more than was asked. Weights and
bounds are ours.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from htp.city.addresses import middle_of
from htp.city.landscape import PLACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from htp.city.network import City

LonLat = tuple[float, float]  # degrees

STREET, ZONE = "street", "zone"  # kinds, beside PLACE
ENOUGH = 72.0  # points of 100 that make a name the one that was meant
CLOSE = 3.0  # points within which names are as good as each other: the longest street is taken
WHOLE = 0.8  # of a score, where the rest of the name was not asked for
ALIKE, SHORT_ALIKE, SHORT = 78.0, 85.0, 5  # likeness of two words, of 100; of words of few letters
EXACT = 106.0  # points of a name as it is: more than of any other with these words
JOINED, WRITTEN, MISSPELT = 85.0, 88.0, 0.93  # likeness of names without spaces and as written; what they count for
CORE = 60.0  # likeness of what tells two names from others, below which they are not the same as written
SAME_TYPE, OTHER_TYPE = 4.0, -8.0  # avenue asked for, avenue or street found
SUGGESTED, SUGGEST = 3, 76.0  # names, and how like they have to be
TRANSLATED = 78.0  # likeness of a word to what it means in another language: a whole name of it is one, a part is not
FEW = 3  # letters, below which a part of a name is none
LINKING = frozenset(re.findall(r"\w+", "de del la las los el do da dos das o a os as e y the of d"))
LEADING = re.compile(r"^(?:de|del|d[ao]s?|the|el|la|[ao]s?)\s+")  # before a name, not of it
TYPES = {  # of streets → one word each
    word: words.split()[0]
    for words in (
        "avenida av avda avenue ave",
        "calle rua r street st c",
        "pasaje psje pje",
        "travessa tv",
        "praca pca plaza square",
        "camino estrada road rd",
    )
    for word in words.split()
}
MEANT = {  # what English says for words that names of places are made of
    "port": ("puerto", "porto"),
    "harbour": ("puerto", "porto"),
    "university": ("universidad", "universidade"),
    "station": ("estacion", "estacao"),
    "airport": ("aeropuerto", "aeroporto"),
    "beach": ("playa", "praia"),
    "bridge": ("puente", "ponte"),
    "square": ("plaza", "praca"),
    "market": ("mercado",),
    "cathedral": ("catedral", "se"),
    "stadium": ("estadio",),
    "centre": ("centro",),
    "center": ("centro",),
    "downtown": ("centro", "baixa"),
    "lighthouse": ("faro", "farol"),
}


@dataclass(frozen=True)
class Named:
    """A name of a city."""

    name: str
    kind: str  # STREET, PLACE, ZONE
    size: float  # of a street its length in metres: the longest of several is the likeliest


@dataclass(frozen=True)
class Found:
    """A name that was looked for: the best, and others that are as good."""

    named: Named
    score: float
    others: tuple[str, ...]


class Names:
    """The names of a city, laid out for searching."""

    def __init__(self, city: City) -> None:
        """Collect the names of streets, places of the landscape, and zones."""
        self.city = city
        self.all = [*_streets(city), *_places(city), *_zones(city)]
        cores = [core_words(one.name) for one in self.all]
        self._types = [street_type(one.name) for one in self.all]
        self._exact = {plain(one.name): row for row, one in reversed(list(enumerate(self.all)))}
        self._cores, self._joined = [" ".join(words) for words in cores], ["".join(words) for words in cores]
        self._written = [plain(one.name) for one in self.all]
        self._digits = np.array([digits_of(one.name) for one in self.all], dtype=object)
        self._letters = np.array([len(joined) for joined in self._joined], dtype=np.float64)
        having: dict[str, set[int]] = {}
        for row, words in enumerate(cores):
            for word in words:
                having.setdefault(word, set()).add(row)
        self._rows = {word: np.array(sorted(rows)) for word, rows in having.items()}
        self._words = list(having)
        self._sizes = np.array([one.size for one in self.all])

    def find(self, words: str) -> Found | None:
        """Return the name that is most like some words, None where none is."""
        written = " ".join(plain(words).split())
        row = self._exact.get(written, self._exact.get(LEADING.sub("", written)))
        if row is not None:
            return Found(self.all[row], EXACT, ())
        scores = self._scores(words)
        if not len(scores) or scores.max() < ENOUGH:
            return None
        best = np.flatnonzero(scores >= scores.max() - CLOSE)
        best = best[np.argsort(-self._sizes[best], kind="stable")]
        others = tuple(self.all[row].name for row in best[1 : 1 + SUGGESTED])
        return Found(self.all[best[0]], float(scores[best[0]]), others)

    def like(self, words: str) -> tuple[str, ...]:
        """Return the names that are nearest to words which are none, or are not enough of one."""
        from rapidfuzz import fuzz, process  # noqa: PLC0415  as all of it here: the app starts without it

        asked = core_words(words)
        meanings = [MEANT[word] for word in asked if word in MEANT]
        near: dict[int, float] = {}
        for text in (" ".join(asked), *(text for texts in meanings for text in texts)):
            scorer = fuzz.token_set_ratio if len(text) > SHORT else fuzz.ratio
            for _, score, row in process.extract(
                text, self._cores, scorer=scorer, score_cutoff=SUGGEST, limit=SUGGESTED
            ):
                near[row] = max(score, near.get(row, 0.0))
        rows = sorted(near, key=lambda row: (-near[row], -self._sizes[row]))
        return tuple(self.all[row].name for row in rows[:SUGGESTED])

    def place_of(self, named: Named) -> LonLat:
        """Return where a name stands: the middle of a street, a place, a point within a zone."""
        if named.kind == STREET:
            return middle_of(self.city, named.name)
        table = self.city.landscape if named.kind == PLACE else self.city.zones
        assert table is not None, "a name of this kind came from there"
        texts = table["name"] if named.kind == PLACE else "zone " + table["zone_id"].astype(str)
        row = int(np.argmax((texts == named.name).to_numpy()))
        lon, lat = shapely.get_coordinates(shapely.point_on_surface(table.geometry.iloc[row]))[0].round(6)
        return float(lon), float(lat)

    def _scores(self, words: str) -> NDArray[np.float64]:
        """Return how much each name is what was asked for, 0 to some 100, [N]."""
        from rapidfuzz import fuzz, process  # noqa: PLC0415

        asked = core_words(words)
        total = np.zeros(len(self.all))
        covered = np.zeros(len(self.all))
        if not asked or not self.all:
            return total
        for word in asked:
            best = np.zeros(len(self.all))
            for alike, score in self._alike(word):
                best[self._rows[alike]] = np.maximum(best[self._rows[alike]], score)
            total += best * len(word)
            covered += (best > 0) * len(word)
        share = np.minimum(covered / np.maximum(self._letters, 1.0), 1.0)
        letters = sum(len(word) for word in asked)
        scores = total / letters * np.where((letters < FEW) & (share < 1), 0.0, WHOLE + (1 - WHOLE) * share)
        joined = process.cdist(["".join(asked)], self._joined, scorer=fuzz.ratio, score_cutoff=CORE)[0]
        written = process.cdist([plain(words).strip()], self._written, scorer=fuzz.ratio, score_cutoff=WRITTEN)[0]
        whole = np.where(joined >= JOINED, np.maximum(joined, written), np.where(joined > 0, written, 0.0))
        whole[self._digits != digits_of(words)] = 0.0  # another number is another street
        return self._by_type(np.maximum(scores, whole * MISSPELT), street_type(words))

    def _by_type(self, scores: NDArray[np.float64], asked: str | None) -> NDArray[np.float64]:
        if asked is None:
            return scores
        more = [0.0 if kind is None else SAME_TYPE if kind == asked else OTHER_TYPE for kind in self._types]
        return np.where(scores > 0, scores + np.array(more), 0.0)

    def _alike(self, word: str) -> list[tuple[str, float]]:
        """Return the words of the city's names that a word may stand for, with their likeness, of 100."""
        from rapidfuzz import fuzz, process  # noqa: PLC0415

        if word in self._rows:
            return [(word, 100.0)]
        if word in MEANT:
            return [(meant, TRANSLATED) for meant in MEANT[word] if meant in self._rows]
        if word.isdecimal() or len(word) < FEW:  # another digit is another street
            return []
        bound = ALIKE if len(word) > SHORT else SHORT_ALIKE
        near = process.extract(word, self._words, scorer=fuzz.ratio, score_cutoff=bound, limit=40)
        return [(alike, score) for alike, score, _ in near]


def plain(text: str) -> str:
    """Return a text in lower case without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))


def core_words(name: str) -> list[str]:
    """Return the words that tell a name from others: without "street of the", unless there is nothing else."""
    words = re.findall(r"[^\W_]+", plain(name))
    return [word for word in words if word not in LINKING and word not in TYPES] or words


def digits_of(name: str) -> str:
    """Return the numbers in a name."""
    return " ".join(re.findall(r"\d+", name))


def street_type(name: str) -> str | None:
    """Return what kind of street a name begins with, in one word a kind."""
    words = re.findall(r"[^\W_]+", plain(name))
    return next((TYPES[word] for word in words[:2] if word in TYPES), None)


def longest_streets(city: City, most: int) -> list[str]:
    """Return the names of the longest streets, longest first."""
    return [one.name for one in sorted(_streets(city), key=lambda one: -one.size)[:most]]


def _streets(city: City) -> list[Named]:
    length_m = pd.Series(city.length_m).groupby(city.roads["name"].to_numpy()).sum()
    longest: dict[str, Named] = {}  # by the name as people say it: spellings of one street are one
    for name, size in sorted(length_m.items(), key=lambda item: (-item[1], item[0])):
        if str(name).strip():
            longest.setdefault(plain(str(name)), Named(str(name), STREET, float(size)))
    return list(longest.values())


def _places(city: City) -> Sequence[Named]:
    if city.landscape is None:
        return ()
    named = city.landscape[(city.landscape["kind"] == PLACE) & (city.landscape["name"].astype(str) != "")]
    ranked = zip(named["name"], named["rank"], strict=True)
    return [Named(str(name), PLACE, 1e6 / (1.0 + float(rank))) for name, rank in ranked]


def _zones(city: City) -> Sequence[Named]:
    return () if city.zones is None else [Named(f"zone {value}", ZONE, 0.0) for value in city.zones["zone_id"]]
