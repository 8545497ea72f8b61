"""Open checkpoints that somebody else has made: nothing in them runs, leads elsewhere, or fills the memory."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch

from htp.checkpoint import MANIFEST, Checkpoint
from htp.errors import InputError
from htp.generate import Generator, load_tokenizer
from htp.language.backbone import from_base
from htp.language.language import Language


class Trap:
    """Make a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.fixture
def sprung(tmp_path):
    """Return the file that is there once code from a checkpoint has run."""
    return tmp_path / "sprung"


@pytest.fixture
def foreign(tiny_checkpoint, tmp_path):
    """Return a checkpoint that may be changed."""
    return Checkpoint(shutil.copytree(tiny_checkpoint, tmp_path / "foreign"))


def refusal(checkpoint):
    with pytest.raises(InputError) as caught:
        Generator.load(checkpoint.folder, "cpu")
    return str(caught.value)


def list_in_manifest(checkpoint, name, **facts):
    path = checkpoint.folder / MANIFEST
    manifest = json.loads(path.read_text())
    manifest["files"][name] = facts
    path.write_text(json.dumps(manifest))


def features_of(checkpoint):
    """Return what is known of the roads of a checkpoint."""
    return load_tokenizer(checkpoint.folder).model.roads.described


def base_of(checkpoint, folder):
    """Write the backbone of a checkpoint as a base model in Hugging Face layout; return the folder."""
    language = Language.load(checkpoint.language, features_of(checkpoint))
    language.model.backbone.save_pretrained(folder)
    language.tokenizer.save_pretrained(folder)
    return folder


def test_the_trap_of_these_tests_works(sprung):
    pickle.loads(pickle.dumps(Trap(sprung)))  # noqa: S301  to show that it runs
    assert sprung.exists()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pkl"])
def test_a_checkpoint_with_a_pickle_in_place_of_safetensors_is_refused(foreign, sprung, name):
    (foreign.language / "backbone.safetensors").unlink()
    (foreign.language / name).write_bytes(pickle.dumps(Trap(sprung)))
    foreign.seal()
    assert refusal(foreign).startswith(f"{foreign.language}: the language model is missing or damaged")
    assert not sprung.exists()


def test_a_pickle_of_plain_weights_is_not_read_either(foreign):
    (foreign.language / "backbone.safetensors").unlink()
    torch.save({"norm.weight": torch.zeros(32)}, foreign.language / "pytorch_model.bin")
    foreign.seal()
    assert "missing or damaged" in refusal(foreign)


def test_a_manifest_that_lists_a_pickle_is_refused(foreign):
    (foreign.language / "pytorch_model.bin").write_bytes(b"")
    list_in_manifest(foreign, "language/pytorch_model.bin", bytes=0, sha256="")
    assert refusal(foreign) == (
        f"{foreign.language}/pytorch_model.bin: a pickle, which may run code; take a checkpoint of safetensors and "
        "JSON."
    )


def test_code_that_comes_with_a_model_is_not_run(foreign, sprung):
    (foreign.language / "trap.py").write_text(f"open({str(sprung)!r}, 'w')\n")
    for name, entry in (("config.json", "AutoModel"), ("tokenizer_config.json", "AutoTokenizer")):
        path = foreign.language / name
        facts = json.loads(path.read_text()) | {"auto_map": {entry: "trap.Model", "AutoConfig": "trap.Config"}}
        path.write_text(json.dumps(facts))
    foreign.seal()
    Generator.load(foreign.folder, "cpu")  # as if it were not there
    assert not sprung.exists()


def test_a_base_model_that_is_a_pickle_or_needs_its_own_code_is_refused(foreign, tmp_path, sprung):
    base = base_of(foreign, tmp_path / "base")
    (base / "model.safetensors").unlink()
    (base / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(InputError, match="no causal language model could be loaded from it"):
        from_base(str(base))
    facts = {"model_type": "trap", "auto_map": {"AutoConfig": "trap.Config", "AutoModel": "trap.Model"}}
    (base / "config.json").write_text(json.dumps(facts))
    (base / "trap.py").write_text(f"open({str(sprung)!r}, 'w')\n")
    with pytest.raises(InputError, match="no causal language model could be loaded from it"):
        from_base(str(base))
    assert not sprung.exists()


def test_an_adapter_that_is_a_pickle_is_refused(foreign, tmp_path, sprung):
    base = base_of(foreign, tmp_path / "base")
    (foreign.language / "adapter").mkdir()
    (foreign.language / "adapter" / "adapter_model.bin").write_bytes(pickle.dumps(Trap(sprung)))
    facts = json.loads((foreign.language / "language.json").read_text())
    norm = float(from_base(str(base))[0].get_input_embeddings().weight.detach().norm())
    facts |= {"base": str(base), "base_norm": norm}
    (foreign.language / "language.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"adapter: adapter_model\.safetensors is missing"):
        Language.load(foreign.language, features_of(foreign))
    assert not sprung.exists()


@pytest.mark.parametrize(
    "name", ["../outside", "language/../../outside", "/etc/hostname", "..", "language/../..", "~/x", "\0", ""], ids=repr
)
def test_a_manifest_leads_nowhere_else(foreign, name):
    list_in_manifest(foreign, name, bytes=0, sha256="")
    assert "outside the checkpoint" in refusal(foreign) or "missing" in refusal(foreign)


def test_every_file_of_a_checkpoint_that_is_damaged_or_cut_off_is_named(foreign):
    for name in json.loads((foreign.folder / MANIFEST).read_text())["files"]:
        path = foreign.folder / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert refusal(foreign).startswith(f"{path}: damaged")
        path.write_bytes(whole[: len(whole) // 2])
        assert refusal(foreign).startswith(f"{path}: damaged")
        path.write_bytes(whole)
    foreign.verify()


def test_what_a_stopped_training_leaves_is_no_part_of_a_checkpoint(foreign):
    torch.save({}, foreign.tokenizer / "resume.pt")
    foreign.seal()
    assert "tokenizer/resume.pt" not in json.loads((foreign.folder / MANIFEST).read_text())["files"]
    foreign.verify()
