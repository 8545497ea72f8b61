"""Lines of words in three languages, and what they say of trips in a city whose names are hard."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from htp.city.addresses import corner_of
from htp.words.line import LONGEST
from htp.words.reading import understand

TUESDAY, NOW = dt.date(2024, 5, 14), dt.date(2026, 11, 28)
FRIDAY = dt.date(2024, 5, 17)
BOAVISTA, COLON, TREES = "Avenida da Boavista", "Avenida Colón", "Los Almendros"
APRIL, SECA, PORT, DOMINGO = "Rua 25 de Abril", "Rua da Quinta Seca", "Acceso a Puerto de Guayacán", "Santo Domingo"


def read(text: str, names):
    return understand(text, names, TUESDAY, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "20 trips from Avenida Colón to Los Almendros, Friday 17:30, a point every 5 s",
        "Generate 20 trips from avenida colon to los almendros on Friday at 5:30 pm, every 5 seconds please",
        "friday 17:30: 20 cars, Avenida Colón -> Los Almendros, one point every 5 sec",
        "20 viajes de Avenida Colón a Los Almendros el viernes a las 17:30, un punto cada 5 s",
        "quiero veinte viajes desde Avenida Colon hasta Los Almendros, viernes a las 5 y media de la tarde, cada 5 s",
        "20 viagens da Avenida Colón para Los Almendros na sexta-feira às 17h30, um ponto a cada 5 segundos",
        "vinte viagens de Avenida Colón até Los Almendros, sexta 17:30, a cada 5 s",
    ],
)
def test_the_same_is_said_in_three_languages(text, names):
    found = read(text, names)
    assert (found.start.name, found.end.name) == (COLON, TREES)
    assert (found.count, found.interval_s) == (20, 5.0)
    assert (found.day, found.clock) == (FRIDAY, dt.time(17, 30))
    assert not found.unread


@pytest.mark.parametrize(
    ("text", "start", "end", "day"),
    [
        ("from Rua 25 de Abril to Santo Domingo", APRIL, DOMINGO, None),
        ("de Santo Domingo a Rua 25 de Abril domingo", DOMINGO, APRIL, dt.date(2024, 5, 19)),
        ("desde Acceso a Puerto de Guayacán a Los Almendros", PORT, TREES, None),
        ("Rua da Quinta Seca para Avenida da Boavista quinta", SECA, BOAVISTA, dt.date(2024, 5, 16)),
        ("from Torres y Arce to Avenida Colón Friday", "Torres y Arce", COLON, FRIDAY),
        ("Avenida Colón – Los Almendros", COLON, TREES, None),
        ("entre Avenida Colón y Los Almendros", COLON, TREES, None),
        ("to Los Almendros from Avenida Colón", COLON, TREES, None),
        ("partida da Avenida Colón, chegada a Los Almendros", COLON, TREES, None),
        ("leaving Avenida Colón Friday, arriving at Los Almendros", COLON, TREES, FRIDAY),
        ("from Avenida Colon, to Los Almendros, 17 May", COLON, TREES, FRIDAY),
    ],
)
def test_names_decide_what_is_a_mark_a_day_or_part_of_a_name(text, start, end, day, names):
    found = read(text, names)
    assert (found.start.name, found.end.name, found.day) == (start, end, day)
    assert not found.unread


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Tuesday", TUESDAY),
        ("next Tuesday", dt.date(2024, 5, 21)),
        ("próximo viernes", FRIDAY),
        ("sábado", dt.date(2024, 5, 18)),
        ("segunda-feira", dt.date(2024, 5, 20)),
        ("2024-06-01", dt.date(2024, 6, 1)),
        ("1/6", dt.date(2024, 6, 1)),
        ("1/6/2023", dt.date(2023, 6, 1)),
        ("May 17th", FRIDAY),
        ("Friday, May 17, 2024", FRIDAY),
        ("viernes 17 de mayo de 2024", FRIDAY),
        ("sexta-feira, 17 de maio", FRIDAY),
        ("on the 1st of March 2025", dt.date(2025, 3, 1)),
        ("today", NOW),
        ("mañana", dt.date(2026, 11, 29)),
        ("depois de amanhã", dt.date(2026, 11, 30)),
        ("31 February", None),
        ("vie", FRIDAY),
        ("sex", FRIDAY),
        ("may", None),
        ("12", None),
    ],
)
def test_days(text, day, names):
    assert read(f"{text} 8:00", names).day == day


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("17:30", (17, 30)),
        ("at 7", (7, 0)),
        ("at 7.15", (7, 15)),
        ("8 am", (8, 0)),
        ("12 am", (0, 0)),
        ("12:15 pm", (12, 15)),
        ("Friday evening at 8", (20, 0)),
        ("in the morning at 8", (8, 0)),
        ("noon", (12, 0)),
        ("a las 5 de la tarde", (17, 0)),
        ("a las 8 y media", (8, 30)),
        ("por la mañana a las 8", (8, 0)),
        ("a medianoche", (0, 0)),
        ("às 9h", (9, 0)),
        ("9h", (9, 0)),
        ("17h30", (17, 30)),
        ("às 7 da noite", (19, 0)),
        ("ao meio-dia", (12, 0)),
        ("25:70", None),
        ("24:00", None),
    ],
)
def test_times_of_day(text, clock, names):
    assert read(text, names).clock == (None if clock is None else dt.time(*clock))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("in 12 minutes", 720),
        ("taking 12 min 30 s", 750),
        ("en 12,5 minutos", 750),
        ("durante 1 hora y 10 minutos", 4200),
        ("1 h 30 min", 5400),
        ("em 1h30", 5400),
        ("em meia hora", 1800),
        ("for an hour", 3600),
        ("travel time 90 s", 90),
        ("in 2 h", 7200),
    ],
)
def test_travel_times(text, seconds, names):
    found = read(text, names)
    assert found.duration_s == seconds
    assert found.clock is None
    assert not found.unread


@pytest.mark.parametrize(
    ("text", "interval_s"),
    [("every second", 1), ("each 10 secs", 10), ("cada minuto", 60), ("a cada 2 minutos", 120), ("every 0.5 s", 0.5)],
)
def test_intervals(text, interval_s, names):
    found = read(text, names)
    assert (found.interval_s, found.duration_s, found.unread) == (interval_s, None, ())


@pytest.mark.parametrize(
    ("text", "count"),
    [("1,000 trips", 1000), ("1.000 viajes", 1000), ("a trip", 1), ("uma viagem", 1), ("20 from Avenida Colón", 20)],
)
def test_numbers_of_trips(text, count, names):
    assert read(text, names).count == count


def test_seconds_alone_are_no_travel_time(names):
    found = read("20 trips, 5 s", names)
    assert found.duration_s is None
    assert [one.words for one in found.unread] == ["5 s"]


def test_a_date_and_time_as_in_a_link(names):
    found = read("2024-05-17T17:30", names)
    assert (found.day, found.clock, found.unread) == (FRIDAY, dt.time(17, 30), ())


def test_a_seed(names):
    assert [read(text, names).seed for text in ("seed 7", "semilla: 8", "semente 9")] == [7, 8, 9]


@pytest.mark.parametrize(
    "words",
    ["Avenida Colón and Santo Domingo", "the corner of Santo Domingo & Colon", "esquina de Colón con Santo Domingo",
     "o cruzamento da Avenida Colón com Santo Domingo"],
)  # fmt: skip
def test_a_corner_of_two_streets(words, names, hard_city):
    found = read(f"from {words} to Los Almendros", names)
    assert {*found.start.name.split(" / ")} == {COLON, DOMINGO}
    assert found.start.lonlat == corner_of(hard_city, COLON, DOMINGO)
    assert not found.unread


def test_streets_that_do_not_meet_are_no_corner(names):
    found = read("from Avenida Colón and Los Almendros to Santo Domingo", names)
    assert found.start is None
    assert found.unread[0].apart == (COLON, TREES)


def test_coordinates_zones_and_places(names):
    found = read("from -71.25, -29.90 via Peñuelas to zone 2", names)
    assert (found.start.lonlat, found.start.given) == ((-71.25, -29.9), True)
    assert [spot.name for spot in found.via] == ["Peñuelas"]
    assert found.end.name == "zone 2"


def test_of_names_that_are_as_good_the_longest_is_taken_and_the_others_are_said(names):
    found = read("from Boavista to rua da boavista", names)
    assert found.start.name in {BOAVISTA, "Rua da Boavista"}
    assert {found.start.name, *found.start.others} == {BOAVISTA, "Rua da Boavista"}
    assert (found.end.name, found.end.others) == ("Rua da Boavista", ())


def test_misspelt_names_and_parts_of_names_are_found(names):
    found = read("from Balmasedda to losalmendros", names)
    assert (found.start.name, found.end.name) == ("José Manuel Balmaceda", TREES)


def test_words_that_are_no_name_are_kept_with_the_nearest(names):
    found = read("20 trips from the university to the port, bring cake", names)
    assert found.start is None
    assert [one.words for one in found.unread] == ["the university", "the port", "bring cake"]
    assert found.unread[1].near == (PORT,)


def test_a_weekday_that_is_not_the_dates_is_noticed(names):
    assert read("Monday 17 May 2024", names).weekday_differs
    assert not read("Friday 17 May 2024", names).weekday_differs


def test_what_is_said_twice_is_kept_once(names):
    found = read("Friday, Saturday, 20 trips, 30 trips", names)
    assert (found.day, found.count) == (FRIDAY, 20)
    assert [one.words for one in found.unread] == ["Saturday", "30 trips"]


WORDS = (
    "from to a de da para via por entre y e and Friday viernes sexta 17:30 8h às at every 5 s min 12 25/13 May "
    "Colón Boavista trips viajes seed | , . -> – 😀 <b> -71.25,-29.90 99999999999999999999 31 February 0 é"
)
PIECES = st.sampled_from(WORDS.split())


@given(st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=40).map(" ".join)))
@example("a" * 10_000)
@example("")
@example("\x00\ue000|")
@example("a cada 1e9 s from  to ")
@example("0/0/0000 99999 de mayo")
def test_nothing_that_anybody_writes_raises(names, text):
    found = read(text, names)
    assert found.cut == (len(" ".join(text.replace("\ue000", " ").split())) > LONGEST) or len(text) <= LONGEST * 2
