"""Ten tasks that planners, researchers and presenters come with, each done on the city that ships.

A task opens a page, does what a person would do, checks that the answer is there and returns it as a sentence.
`test_ten_tasks_in_chromium.py` runs them as tests; `docs/app_tasks.py` writes what they took.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from links import MENUS
from person import Kind, Person

from htp.trips import read_trips, write_trips

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator

CHECKPOINT = Path(__file__).parents[2] / "checkpoints" / "coquimbo"
UNIVERSITY = (-71.2425, -29.9135)  # Universidad de La Serena, Avenida Juan Cisternas
PORT = (-71.3355, -29.9505)  # Puerto de Coquimbo, Avenida Costanera
BRIDGE = (-71.24578, -29.89581)  # of Avenida Los Libertadores over the Elqui
BOUNDS = (-71.356583, -30.078971, -71.164448, -29.829589)  # of the city, which a map shows at first
AROUND_PX = 40  # room that a map leaves around the city
WAY = "\n".join(f"{lon}, {lat}" for lon, lat in (UNIVERSITY, PORT))
LINK = f"?via={';'.join(f'{lon},{lat}' for lon, lat in (UNIVERSITY, PORT))}&depart=2024-05-14T08:00&n=20&seed=1&show=1"
TABLE = "origin,destination,trips\n1,60,15\n60,1,15\n20,90,10\n"  # between zones of the city
EVERY = 20  # of the held-out trips, for a file of somebody's trips
SERIES = """(plot) => plot.data.map(({ name, x, y }) => [name, [...y], [...(x._inputArray ?? x)]])"""


class Task(NamedTuple):
    """Something that a person wants to know or to have."""

    who: str
    question: str
    do: Callable[[Person], str]
    most_clicks: int  # that it should take


def slower_streets(person: Person) -> str:
    page = person.page
    person.open("times_of_day", page.locator(".htp-map[data-roads]:not([data-roads='0'])").first)
    _paste_way(person)
    chart = page.locator(".js-plotly-plot").filter(has_text="Seconds lost a trip")
    person.click(_button(person, "Compare"), chart.locator(".barlayer .point").first, kind=Kind.work)
    early, late = chart.evaluate(SERIES)
    assert (early[0], late[0]) == ("08:00", "23:00")
    slower = sorted(zip((a - b for a, b in zip(early[2], late[2], strict=True)), early[1], strict=True), reverse=True)
    (most_s, street), (second_s, second) = slower[:2]
    assert second_s > 10  # seconds a trip: the morning's traffic
    return f"{street} (+{most_s:.0f} s a trip) and {second} (+{second_s:.0f} s)"


def closed_bridge(person: Person) -> str:
    page = person.page
    person.open("scenario", page.get_by_text("trips are ready"))
    figures = page.locator(".figures:has-text('Trips affected')")
    person.click_at(page.locator(".htp-map"), *_on_map(page.locator(".htp-map"), BRIDGE), figures)
    assert "Avenida Los Libertadores closed" in page.get_by_test_id("stSidebarUserContent").inner_text()
    affected, _, detour, delay = figures.locator("b").all_inner_texts()
    trips = re.fullmatch(r"(\d+) of 200", affected)
    assert trips
    assert int(trips[1]) > 0
    return f"{affected} trips are affected; their detour is {detour} (median) and {delay} (mean)"


def morning_of_a_table(person: Person) -> str:
    page = person.page
    table = person.folder / "od.csv"
    table.write_text(TABLE, encoding="utf-8")
    person.open("demand", page.locator(".figures"))
    make = _button(person, "Make 40 trips")
    person.upload(page.locator("input[type=file]").first, table, make)
    person.click(make, page.get_by_text("trips of this day have been made"), kind=Kind.work)
    thumbs = page.get_by_role("slider")
    start, stop = (thumb.bounding_box()["x"] for thumb in thumbs.all())
    person.drag(thumbs.nth(1), (stop - start) * (10 - 24) / 24, _button(person, "Download, 00:00 to 10:00"))
    person.drag(thumbs.nth(0), (stop - start) * 6 / 24, _button(person, "Download, 06:00 to 10:00"))
    trips = read_trips(person.download(_button(person, "Download, 06:00 to 10:00")))
    assert set(trips["start_time"].dt.hour) <= {6, 7, 8, 9}
    assert set(zip(trips["origin"], trips["destination"], strict=True)) <= {("1", "60"), ("60", "1"), ("20", "90")}
    return f"demand-6-10.parquet, {len(trips)} of the 40 trips"


def travel_time(person: Person) -> str:
    page = person.page
    person.open("", page.locator(".htp-map[data-roads]:not([data-roads='0'])"))
    _paste_way(person)
    expected = page.get_by_text(re.compile(r"Expected \d+ min"))
    at_eight = expected.inner_text()
    hour = page.get_by_role("spinbutton", name="hour, Time")
    person.click(hour)
    other = page.get_by_text(re.compile(f"Expected (?!{re.escape(at_eight.removeprefix('Expected '))})"))
    person.type(hour, "1730", other, key="Enter")
    page.wait_for_url(re.compile("depart=2024-05-14T17"))
    answer = expected.inner_text()
    assert re.fullmatch(r"Expected \d+ min; 8 of 10 trips take \d+ to \d+ min\.", answer)
    return answer.rstrip(".")


def shared_token(person: Person) -> str:
    page = person.page
    person.open("codebook", page.locator(".htp-gallery button").first, kind=Kind.work)  # encodes trips once
    tokens = page.get_by_label("Tokens of consecutive patterns")
    person.type(tokens, "a_17", page.locator("p.departure:has-text('a_17')"), key="Enter")
    trips = read_trips(person.download(_button(person, re.compile("Download .* trips"))))
    found = re.search(r"([\d,]+) of ([\d,]+)", page.locator("p.facts").inner_text())
    assert found is not None
    assert found[1] == f"{len(trips):,}"
    assert trips["patterns"].map(lambda codes: 17 in codes[::4]).all()
    return f"{found[1]} trips of {found[2]}, trips-a_17.parquet"


def match_and_misses(person: Person) -> str:
    page = person.page
    person.open("distributions", page.locator(".js-plotly-plot").nth(6))
    person.click(page.get_by_role("combobox", name="Held-out trips"), page.get_by_role("option", name="200"))
    generate = _button(person, re.compile("Generate 200 trips"))
    person.click(page.get_by_role("option", name="200"), generate)
    person.click(generate, page.get_by_text("200 generated trips beside"), kind=Kind.work)
    lengths = page.get_by_text(re.compile(r"divergence [\d.]+, noise floor")).first.inner_text()
    _go_to(person, "Density", page.get_by_text("alike (G-Den)"))
    densities = page.get_by_text("alike (G-Den)").inner_text()
    person.click(page.get_by_role("radio", name="Top cells"), page.locator(".legend.kinds"))
    misses = ", ".join(page.locator(".legend.kinds > div").all_inner_texts()).lower()
    assert re.fullmatch(r"in both: \d+, only held-out: \d+, only generated: \d+", misses)
    return f"Lengths, which are asked for: {_plain(lengths)}. Density: {densities}. The 100 busiest cells: {misses}"


def evaluated_file(person: Person) -> str:
    page = person.page
    mine = person.folder / "mine.parquet"
    write_trips(read_trips(CHECKPOINT / "heldout.parquet").iloc[::EVERY], mine)
    person.open("evaluate", _button(person, "Evaluate"))
    person.click(page.get_by_role("radio", name="A file").nth(1), page.get_by_test_id("stFileUploaderDropzone"))
    ready = page.locator("[data-testid=stSidebar] button[kind=primary]:not([disabled])")
    person.upload(page.locator("input[type=file]"), mine, page.get_by_text(mine.name), ready)
    verdict = page.get_by_text(re.compile(r"\d of 9 metrics within noise"))
    person.click(_button(person, "Evaluate"), verdict, page.locator("table.metrics").first, kind=Kind.work)
    rows = page.locator("table.metrics").first.locator("tbody tr")
    assert rows.count() == 9  # the eight of the paper, and the length
    return f"{verdict.inner_text().split(' (')[0].rstrip('.')}, as the file holds held-out trips itself"


def trips_as_a_file(person: Person) -> str:
    page = person.page
    person.open("", page.locator(".htp-map[data-roads]:not([data-roads='0'])"))
    _paste_way(person)
    generate = _button(person, "Generate")
    person.click(generate, page.locator(".htp-map[data-trips='20']"), page.locator(".figures"), kind=Kind.work)
    trips = read_trips(person.download(_button(person, "Download")))
    ends = trips.geometry.map(lambda line: math.dist(line.coords[-1], PORT))
    assert len(trips) == 20
    assert ends.max() < 0.003  # degrees: 300 m
    return f"{len(trips)} trips of {len(trips['geometry'].iloc[0].coords)} and more points, trips.parquet"


def link_and_play(person: Person) -> str:
    page = person.page
    person.open(LINK, page.locator(".htp-map[data-trips='20']"), page.locator(".figures"), kind=Kind.work)
    clock = page.locator(".htp-play output")
    moving = page.locator(".htp-play[data-playing='true'] output").filter(has_not_text=re.compile("^0:00 of"))
    person.click(page.get_by_role("button", name="Play", exact=True), moving)
    begun = clock.inner_text()
    clock.filter(has_not_text=begun).wait_for()
    shown, whole = clock.inner_text().split(" of ")
    return f"the cars drive; the clock goes on from {begun.split(' of ')[0]} to {shown} of {whole}"


def behind_the_trips(person: Person) -> str:
    page = person.page
    person.open("", page.locator(".htp-map[data-roads]:not([data-roads='0'])"))
    _go_to(person, "Data and models", page.get_by_text("Model card"))
    facts, card = page.locator(".figures").inner_text(), page.locator(".st-key-card").inner_text()
    assert "Simulated" in facts
    assert "The trips are simulated, not recorded" in card
    licence = re.search(r"Open Database License \(ODbL\) [\d.]+", card)
    assert licence
    return f"simulated, not recorded; roads © OpenStreetMap contributors, {licence[0]}"


def _button(person: Person, name: str | re.Pattern[str]) -> Locator:
    """Return a button of the page itself: the navigation at the top has some of the same names."""
    parts = person.page.locator("[data-testid=stMain], [data-testid=stSidebar]")
    return parts.get_by_role("button", name=name, exact=isinstance(name, str))


def _paste_way(person: Person) -> None:
    """Make the way from the university to the port the route."""
    field = person.page.get_by_label("Longitude, latitude")
    person.click(person.page.get_by_text("Paste coordinates"), field)
    person.type(field, WAY)
    person.click(_button(person, "Use these points"), person.page.locator("ul.stops"))


def _go_to(person: Person, title: str, *answers: Locator) -> None:
    """Go to another page by the navigation at the top, where some pages are in a menu."""
    page = person.page
    menu = next((menu for menu, titles in MENUS.items() if title in titles), None)
    if menu is None:
        person.click(page.get_by_role("link", name=title), *answers)
        return
    item = page.get_by_role("menuitem", name=title)
    person.click(page.get_by_test_id("stTopNav").get_by_role("button", name=menu), item)
    person.click(item, *answers)


def _on_map(box: Locator, place: tuple[float, float]) -> tuple[float, float]:
    """Return where a map that shows the whole city shows a place, px from its corner."""
    size = box.bounding_box()
    assert size is not None
    (west, south, east, north), (lon, lat) = BOUNDS, place
    scale = min(
        (size["width"] - 2 * AROUND_PX) / (east - west),
        (size["height"] - 2 * AROUND_PX) / (_mercator(north) - _mercator(south)),
    )
    x = size["width"] / 2 + (lon - (west + east) / 2) * scale
    y = size["height"] / 2 - (_mercator(lat) - (_mercator(south) + _mercator(north)) / 2) * scale
    return x, y


def _mercator(lat: float) -> float:
    """Return degrees of longitude that are as long on the map as from the equator to here."""
    return math.degrees(math.asinh(math.tan(math.radians(lat))))


def _plain(text: str) -> str:
    """Return what a badge and its sentence say without the names of icons."""
    return " ".join(word for word in text.split() if word not in {"check", "close"})


TASKS = (
    Task(
        "planner",
        "Which streets get slower at 8:00 than at 23:00 on the way from the university to the port?",
        slower_streets,
        3,
    ),
    Task("planner", "What happens if this bridge closes?", closed_bridge, 1),
    Task("planner", "Make a day's trips from an OD table and export the morning", morning_of_a_table, 4),
    Task("planner", "How long does this route take at 17:30, and how sure is that?", travel_time, 3),
    Task("researcher", "Find trips that share token a_17 and export them", shared_token, 1),
    Task(
        "researcher",
        "How well do lengths and densities of generated trips match the held-out ones, and where are misses?",
        match_and_misses,
        6,
    ),
    Task("researcher", "Evaluate a file of trips", evaluated_file, 2),
    Task("researcher", "Download generated trips as GeoParquet and read them back", trips_as_a_file, 4),
    Task("presenter", "Open this link and play it", link_and_play, 1),
    Task("presenter", "Is this real traffic, and whose map is it?", behind_the_trips, 2),
)
