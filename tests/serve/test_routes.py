"""Check what every address answers: formats, examples, what is served, problems."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest

from htp.travel_time.model import QUANTILES

NDJSON = {"Accept": "application/x-ndjson"}


def test_trips_come_as_a_geojson_collection(served, drive, grid):
    answer = served.http.post("/v1/trips", json=drive | {"n": 3, "seed": 7})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    assert [feature["properties"]["trip_id"] for feature in features] == ["0", "1", "2"]
    first = features[0]
    assert first["geometry"]["type"] == "LineString"
    assert len(first["geometry"]["coordinates"]) == 29  # 420 s every 15 s
    assert first["properties"]["start_time"] == "2024-05-06T08:15:00-04:00"
    assert grid.is_connected(first["properties"]["roads"])
    assert first["properties"]["length_token"] == 3


def test_trips_come_a_line_each_where_that_is_accepted(served, drive):
    answer = served.http.post("/v1/trips", json=drive | {"n": 3, "seed": 7}, headers=NDJSON)
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == served.http.post("/v1/trips", json=drive | {"n": 3, "seed": 7}).json()["features"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/geo+json"),
        ("application/json", "application/geo+json"),
        ("application/x-ndjson;q=0.5, application/geo+json", "application/geo+json"),
        ("text/html, application/x-ndjson;q=0.9, */*;q=0.1", "application/x-ndjson"),
        ("application/x-ndjson;q=0, */*", "application/geo+json"),
    ],
)
def test_the_format_is_the_one_liked_best(served, drive, accept, kind):
    answer = served.http.post("/v1/trips", json=drive, headers={"Accept": accept})
    assert answer.headers["content-type"] == kind


def test_a_format_that_is_not_there_is_refused(served, drive):
    answer = served.http.post("/v1/trips", json=drive, headers={"Accept": "text/csv"})
    assert answer.status_code == 406
    assert "application/geo+json" in answer.json()["detail"]
    assert not served.generator.batches


def test_a_route_may_be_given_by_its_roads(served, drive):
    by_places = served.http.post("/v1/trips", json=drive).json()["features"][0]["properties"]
    body = {"roads": by_places["roads"], "depart": drive["depart"], "duration": 420.0}
    by_roads = served.http.post("/v1/trips", json=body).json()["features"][0]["properties"]
    assert by_roads["roads"] == by_places["roads"]


def test_a_batch_counts_its_trips_through(served, drive):
    body = {"requests": [drive, drive | {"n": 2, "interval": 30.0}], "seed": 7, "first": 5}
    answer = served.http.post("/v1/trips/batch", json=body)
    lines = [json.loads(line)["properties"] for line in answer.text.splitlines()]
    assert [line["trip_id"] for line in lines] == ["5", "6", "7"]
    assert [line["interval"] for line in lines] == [15.0, 30.0, 30.0]


def test_every_documented_example_works(served):
    schema = served.http.get("/openapi.json").json()
    posted = []
    for path, operations in schema["paths"].items():
        if "post" not in operations:
            continue
        for example in operations["post"]["requestBody"]["content"]["application/json"]["examples"].values():
            answer = served.http.post(path, json=example["value"])
            assert answer.status_code == 200, answer.text
            posted.append(path)
    assert sorted(set(posted)) == ["/v1/travel-times", "/v1/trips", "/v1/trips/batch"]


def test_the_page_of_documentation_loads_nothing_from_elsewhere(served):
    answer = served.http.get("/docs")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "//" not in answer.text.replace("</", "")
    assert "/v1/trips/batch" in answer.text
    assert "waypoints" in answer.text


def test_the_city_says_where_its_roads_come_from(served, grid, tmp_path):
    facts = served.http.get("/v1/city").json()
    assert facts["name"] == "Grid"
    assert facts["timezone"] == "America/Santiago"
    assert facts["licence"] == "CC0-1.0"
    assert facts["roads"] == 80
    (tmp_path / "roads.parquet").write_bytes(served.http.get("/v1/city/roads").content)
    roads = gpd.read_parquet(tmp_path / "roads.parquet")
    assert roads["name"].tolist() == grid.roads["name"].tolist()


def test_the_model_says_what_the_service_takes(serve):
    facts = serve(max_trips=50, deadline_s=9).http.get("/v1/model").json()
    assert facts["limits"]["trips"] == 50
    assert facts["limits"]["deadline_s"] == 9
    assert facts["limits"]["duration_s"] == [285.0, 2985.0]  # 20 and 200 points every 15 s
    assert facts["simulated"] is False


def test_held_out_trips_are_given_out_only_where_that_is_allowed(served):
    answer = served.http.get("/v1/heldout")
    assert answer.status_code == 403
    assert "--share-heldout" in answer.json()["detail"]


def test_travel_times_are_those_of_the_model(served, drive, grid):
    route = {"waypoints": drive["waypoints"], "depart": drive["depart"]}
    answer = served.http.post("/v1/travel-times", json={"requests": [route]}).json()
    assert answer["quantiles"] == list(QUANTILES)
    roads = served.http.post("/v1/trips", json=drive).json()["features"][0]["properties"]["roads"]
    np.testing.assert_allclose(answer["seconds"][0], grid.free_flow_s[roads].sum() * (1 + np.array(QUANTILES)))


def test_numbers_are_there_for_prometheus(serve, drive):
    served = serve()
    served.http.post("/v1/trips", json=drive | {"n": 3})
    served.http.get("/nothing/here")
    lines = served.http.get("/metrics").text.splitlines()
    assert "htp_trips_total 3.0" in lines
    assert "htp_queue_trips 0.0" in lines
    assert 'htp_batch_trips_bucket{le="4.0"} 1.0' in lines
    assert 'htp_requests_total{path="/v1/trips",status="200"} 1.0' in lines
    assert 'htp_requests_total{path="other",status="404"} 1.0' in lines
    assert 'htp_request_seconds_count{path="/v1/trips"} 1.0' in lines
    assert "htp_first_trip_seconds_count 1.0" in lines


def test_a_request_id_is_taken_over_where_it_is_sane(served):
    assert served.http.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    for bad in ("a b", "x" * 65, "a\tb"):
        made = served.http.get("/healthz", headers={"X-Request-ID": bad}).headers["x-request-id"]
        assert made != bad
        assert len(made) == 32


def test_pages_of_other_sites_may_ask_only_where_that_is_allowed(serve, drive):
    origin = {"Origin": "https://maps.example"}
    assert "access-control-allow-origin" not in serve().http.post("/v1/trips", json=drive, headers=origin).headers
    open_to = serve(allow_origins=("https://maps.example",)).http
    allowed = open_to.post("/v1/trips", json=drive, headers=origin)
    assert allowed.headers["access-control-allow-origin"] == "https://maps.example"
    other = open_to.post("/v1/trips", json=drive, headers={"Origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers
