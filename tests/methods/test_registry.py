"""Check how methods are named and chosen."""

from __future__ import annotations

import subprocess
import sys

import pytest

from htp.errors import InputError
from htp.methods.registry import ABLATIONS, BASELINES, METHODS, OURS, REFERENCES, choose

ORDER = [
    "HTP",
    "w/o RQ-VAE",
    "w/o R-Loss",
    "w/o OOV",
    "w/o LLM",
    "regressed steps",
    "regressed offsets",
    "free increments",
    "absolute input",
    "plain road tokens",
    "no anchors",
    "free length",
    "no depth head",
    "HTP+",
    "HTP+ told nothing",
]


def names(methods):
    return [entry.name for entry in choose(methods)]


def test_the_six_are_registered_in_the_papers_order():
    assert list(BASELINES) == ["trajgan", "trajvae", "diffwave", "difftraj", "controltraj", "cardiff"]


def test_htp_comes_first_and_the_papers_four_next():
    assert list(ABLATIONS) == ORDER


def test_every_name_leads_to_the_method_of_that_name():
    assert all(entry.made_by.name == name == entry.name for name, entry in METHODS.items())
    assert "diffusion" not in METHODS
    assert "w/o everything" not in METHODS


def test_the_names_are_known_without_torch():
    code = "import sys; from htp.methods.registry import METHODS; print(len(METHODS), 'torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == [str(2 + 6 + len(ORDER)), "False"]


def test_all_are_the_references_the_baselines_and_then_htp_with_its_ablations():
    assert names("all") == [*REFERENCES, *BASELINES, *ABLATIONS]
    assert names("references") == list(REFERENCES)
    assert names("baselines") == list(BASELINES)
    assert names("ablations") == list(ABLATIONS)
    assert next(iter(ABLATIONS)) == OURS
    assert names("htp+") == ["HTP+"]


def test_names_are_taken_without_case_and_punctuation_in_the_order_of_the_tables():
    assert names("htp,TrajVAE") == ["trajvae", "HTP"]
    assert names("w/o llm, trajvae ,trajvae") == ["trajvae", "w/o LLM"]
    assert names("baselines,HTP") == [*BASELINES, "HTP"]


@pytest.mark.parametrize("wrong", ["vae", "", "trajvae,", "trajvae,flying"])
def test_an_unknown_name_is_refused_with_the_list(wrong):
    with pytest.raises(InputError, match=r"no such method; choose among all, references, baselines, .*trajgan, .*HTP"):
        choose(wrong)


def test_a_baseline_is_called_by_its_class_and_an_ablation_by_its_name():
    assert [entry.label for entry in choose("trajvae,w/o LLM")] == ["TrajVAE", "w/o LLM"]


def test_a_method_is_made_in_its_small_size():
    entry = choose("trajvae")[0]
    assert entry.new("cpu").config == entry.made_by.config_type.small()
