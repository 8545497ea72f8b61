"""Names of the grid: Calle 0 to 4, Avenida 0 to 4."""

from __future__ import annotations

from dataclasses import replace

from htp.city.addresses import corner_of, corners_of, middle_of
from htp.city.names import Names, core_words, longest_streets, street_type


def test_a_name_is_found_by_its_kind_and_number_alone(grid):
    names = Names(grid)
    assert names.find("calle 3").named.name == "Calle 3"
    assert names.find("Avda. 3").named.name == "Avenida 3"
    assert names.find("rua 3").named.name == "Calle 3"
    assert names.find("calle 7") is None
    assert names.find("") is None
    assert names.find("!?") is None


def test_a_street_stands_in_its_middle(grid):
    names = Names(grid)
    assert names.place_of(names.find("calle 3").named) == middle_of(grid, "Calle 3")


def test_what_tells_a_name_from_others(grid):
    assert core_words("Avenida de la Boavista") == ["boavista"]
    assert core_words("La Calle") == ["la", "calle"]
    assert street_type("Av. Colón") == street_type("Avenue X") == "avenida"
    assert street_type("Los Almendros") is None


def test_the_longest_streets_come_first(grid, triangle):
    assert longest_streets(triangle, 2) == ["Calle Dos", "Calle Uno"]
    assert len(longest_streets(grid, 3)) == 3


def test_a_city_without_names_has_none(triangle):
    nameless = Names(replace(triangle, roads=triangle.roads.assign(name=None)))
    assert nameless.find("Calle Uno") is None
    assert nameless.like("Calle Uno") == ()


def test_a_corner_is_the_same_from_both_streets(grid):
    assert corner_of(grid, "Calle 1", "Avenida 3") == corners_of(grid, "Calle 1")["Avenida 3"]
    assert corner_of(grid, "Avenida 3", "Calle 1") == corner_of(grid, "Calle 1", "Avenida 3")
    assert corner_of(grid, "Calle 1", "Calle 2") is None
    assert corner_of(grid, "Calle 1", "nowhere") is None
