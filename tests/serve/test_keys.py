"""Check who is let in."""

from __future__ import annotations

import pytest

from htp.errors import InputError
from htp.serve.keys import Keys, new_key


@pytest.fixture
def keys(tmp_path):
    """Return the keys of two people and the file that lets them in."""
    (ana, first), (ben, second) = new_key("ana"), new_key("ben")
    path = tmp_path / "keys.txt"
    path.write_text(f"# who may ask\n{first}\n\n{second}\n")
    return ana, ben, path


def test_a_key_is_known_by_its_hash_alone(keys):
    ana, ben, path = keys
    assert ana not in path.read_text()
    known = Keys.load(path)
    assert known.name_of(f"Bearer {ana}") == "ana"
    assert known.name_of(f"bearer {ben}") == "ben"
    for wrong in ("", ana, f"Basic {ana}", f"Bearer {ana}x", "Bearer ", "Bearer é"):
        assert known.name_of(wrong) is None


def test_no_two_keys_are_the_same():
    assert len({new_key("ana")[0] for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "holds no key"), ("secret ana\n", "line 1 is no SHA-256 hash"), ("# a\n" + "0" * 64 + "\n", "line 2")],
    ids=["empty", "not hashed", "no name"],
)
def test_a_bad_file_of_keys_is_one_sentence(tmp_path, text, words):
    (tmp_path / "keys.txt").write_text(text)
    with pytest.raises(InputError, match=words):
        Keys.load(tmp_path / "keys.txt")


def test_a_missing_file_of_keys_and_a_bad_name_are_one_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        Keys.load(tmp_path / "none.txt")
    with pytest.raises(InputError, match="give one word"):
        new_key("ana b")


def test_only_those_with_a_key_may_ask(keys, serve, drive):
    ana, _, path = keys
    served = serve(keys=Keys.load(path))
    assert served.http.get("/healthz").status_code == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        for answer in (served.http.post("/v1/trips", json=drive, headers=headers), served.http.get("/v1/city")):
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
    assert not served.writer.batches
    answer = served.http.post("/v1/trips", json=drive, headers={"Authorization": f"Bearer {ana}"})
    assert answer.status_code == 200
    assert served.http.get("/openapi.json").json()["components"]["securitySchemes"]
