"""Read numbers with their words: how many trips, how long, how often a point, which seed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from htp.words.line import Wording

WORDS = (  # of numbers, in English, Spanish and Portuguese
    {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
    | {"nine": 9, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100}
    | {"un": 1, "una": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9}
    | {"diez": 10, "doce": 12, "quince": 15, "veinte": 20, "treinta": 30, "cincuenta": 50, "cien": 100}
    | {"um": 1, "uma": 1, "dois": 2, "duas": 2, "quatro": 4, "sete": 7, "oito": 8, "nove": 9, "dez": 10, "doze": 12}
    | {"quinze": 15, "vinte": 20, "trinta": 30, "cinquenta": 50, "cem": 100}
)
TRIPS = (
    r"(?:gps\s+)?(?:trips?|cars?|drives?|journeys?|rides?|vehicles?|taxis?|viajes?|autos?|coches?|carros?|vehiculos?|"
    r"recorridos?|trayectos?|viagens|viagem|veiculos?|corridas?|trajetos?|percursos?)\b(?:\s+gps\b)?"
)
ASKING = (
    r"(?:generate|make|show(?:\s+me)?|give\s+me|i\s+want|simulate|genera|generar|haz|quiero|dame|muestra|gera|gerar|"
    r"faz|quero|mostra)"
)
NUMBER = r"(?<![\w.,:/-])(\d{1,12}(?:[.,]\d{1,6})?)"
SECONDS = r"(?:s|secs?|seconds?|segs?|segundos?)\b"
MINUTES = r"(?:min|mins|minutes?|minutos?)\b"
HOURS = r"(?:(?:hrs?|hours?|horas?|h)\b|h(?=\d))"
TAKING = (
    r"(?:(?:taking|lasting|in|within|during|for|of|en|em|durante|de|por|que\s+dur[ea][nm]|travel\s+time|duration|"
    r"duracion|duracao|tiempo(?:\s+de\s+viaje)?|tempo(?:\s+de\s+viagem)?)(?:\s+(?:of|de)|\s*:)?\s+)?"
)

COUNT = re.compile(rf"(?<![\w.,:/-])(\d{{1,3}}(?:[.,]\d{{3}})+|\d{{1,12}})\s*{TRIPS}")
COUNT_IN_WORDS = re.compile(rf"(?:^|(?<=[|,;.]))\s*(?:{ASKING}\s+)?({'|'.join(WORDS)})\s+{TRIPS}")
COUNT_FIRST = re.compile(r"^\s*(\d{1,12})(?=\s+(?:from|desde)\b)")
SEED = re.compile(r"\b(?:seed|semilla|semente)(?:\s+(?:of|number|de|numero))?\s*[=:#]?\s*(\d{1,12})\b")
EVERY = re.compile(
    r"(?:\b(?:a|one|un|um)\s+)?(?:\b(?:points?|puntos?|pontos?|sampled|recorded|uno|one)\s+)?\b(?:a\s+)?"
    rf"(?:every|each|cada|per|interval(?:\s+of)?|intervalo(?:\s+de)?)\s+(?:{NUMBER}\s*)?(?:({SECONDS})|({MINUTES}))"
)
LONG_H = re.compile(
    rf"\b{TAKING}{NUMBER}\s*{HOURS}(?:\s*(?:and|y|e)?\s*(\d{{1,3}})\s*(?:{MINUTES})?)?(?!\s*(?:am|pm)\b)"
)
LONG_MIN = re.compile(rf"\b{TAKING}{NUMBER}\s*{MINUTES}(?:\s*(?:and|y|e)?\s*(\d{{1,3}})\s*{SECONDS})?")
LONG_S = re.compile(rf"\b{TAKING[:-1]}{NUMBER}\s*{SECONDS}")
HALF_HOUR = re.compile(rf"\b{TAKING}(?:half\s+an\s+hour|media\s+hora|meia\s+hora)\b")
ONE_HOUR = re.compile(rf"\b{TAKING}(?:an|one|una|uma)\s+(?:hour|hora)\b")


def take_count(line: Wording) -> int | None:
    """Take out how many trips."""
    found = line.take(COUNT) or line.take(COUNT_FIRST)
    if found is not None:
        return int(re.sub(r"\D", "", found[1]))
    found = line.take(COUNT_IN_WORDS)
    return None if found is None else WORDS[found[1]]


def take_seed(line: Wording) -> int | None:
    """Take out the seed."""
    found = line.take(SEED)
    return None if found is None else int(found[1])


def take_interval_s(line: Wording) -> float | None:
    """Take out the time from a point to the next, in seconds."""
    found = line.take(EVERY)
    if found is None:
        return None
    number = 1.0 if found[1] is None else _number(found[1])
    return number if found[2] else 60.0 * number


def take_duration_s(line: Wording) -> float | None:
    """Take out the travel time, in seconds."""
    for pattern, unit_s, smaller_s in ((LONG_H, 3600.0, 60.0), (LONG_MIN, 60.0, 1.0), (LONG_S, 1.0, 0.0)):
        found = line.take(pattern)
        if found is not None:
            rest = found[2] if pattern.groups > 1 else None
            return _number(found[1]) * unit_s + (float(rest) * smaller_s if rest else 0.0)
    for pattern, seconds in ((HALF_HOUR, 1800.0), (ONE_HOUR, 3600.0)):
        if line.take(pattern) is not None:
            return seconds
    return None


def _number(text: str) -> float:
    return float(text.replace(",", "."))
