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
    assert known.name_of(ana) == "ana"
    assert known.name_of(ben) == "ben"
    for wrong in ("", f"{ana}x", f"Bearer {ana}", "é"):
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
    ana, ben, path = keys
    served = serve(keys=Keys.load(path))
    assert served.http.get("/healthz").status_code == 200
    wrong = ("", ana, f"Basic {ana}", f"Bearer {ana}x", "Bearer", "Bearer wrong", "Bearer é".encode("latin-1"))
    for headers in ({}, *({"Authorization": one} for one in wrong)):
        for answer in (served.http.post("/v1/trips", json=drive, headers=headers), served.http.get("/v1/city")):
            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"] == "Bearer"
    assert not served.generator.batches
    for header in (f"Bearer {ana}", f"bearer {ben}"):
        assert served.http.post("/v1/trips", json=drive, headers={"Authorization": header}).status_code == 200


def test_the_openapi_document_locks_what_needs_a_key(keys, serve):
    schema = serve(keys=Keys.load(keys[2])).http.get("/openapi.json").json()
    assert schema["components"]["securitySchemes"] == {"key": {"type": "http", "scheme": "bearer"}}
    operations = {path: operation for path, found in schema["paths"].items() for operation in found.values()}
    locked = {path for path, operation in operations.items() if operation.get("security") == [{"key": []}]}
    assert locked == {path for path in operations if path.startswith("/v1/")}
    assert "securitySchemes" not in serve().http.get("/openapi.json").json()["components"]


def test_without_a_key_a_body_is_not_read_and_no_address_is_told(keys, serve):
    served = serve(keys=Keys.load(keys[2]))
    assert served.http.post("/v1/trips", content=b"no JSON").status_code == 401
    assert served.http.get("/v1/nothing").status_code == 401
