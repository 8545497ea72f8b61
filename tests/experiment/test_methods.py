"""Check how methods are chosen by name."""

from __future__ import annotations

import pytest

from htp.errors import InputError
from htp.experiment.methods import OURS, choose
from htp.methods.ablations import VARIANTS
from htp.methods.baselines import BASELINES


def names(methods):
    return [entry.name for entry in choose(methods)]


def test_all_are_the_baselines_and_then_htp_with_its_ablations():
    assert names("all") == [*BASELINES, *VARIANTS]
    assert names("baselines") == list(BASELINES)
    assert names("ablations") == list(VARIANTS)
    assert next(iter(VARIANTS)) == OURS
    assert names("htp+") == ["HTP+"]


def test_names_are_taken_without_case_and_punctuation_in_the_order_of_the_tables():
    assert names("htp,TrajVAE") == ["trajvae", "HTP"]
    assert names("w/o llm, trajvae ,trajvae") == ["trajvae", "w/o LLM"]
    assert names("baselines,HTP") == [*BASELINES, "HTP"]


@pytest.mark.parametrize("wrong", ["vae", "", "trajvae,", "trajvae,flying"])
def test_an_unknown_name_is_refused_with_the_list(wrong):
    with pytest.raises(InputError, match=r"no such method; choose among all, baselines, ablations, trajgan, .*HTP"):
        choose(wrong)


def test_a_baseline_is_called_by_its_class_and_an_ablation_by_its_name():
    assert [entry.label for entry in choose("trajvae,w/o LLM")] == ["TrajVAE", "w/o LLM"]


def test_a_method_is_made_in_its_small_size():
    entry = choose("trajvae")[0]
    assert entry.new("cpu").config == entry.made_by.config_type.small()
