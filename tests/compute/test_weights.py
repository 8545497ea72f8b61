"""Tests for htp.compute.weights: what comes back, and how large the file is."""

from __future__ import annotations

import pytest
import torch
from safetensors import SafetensorError

from htp.compute.weights import SCALE, load_weights, save_weights


@pytest.fixture
def state():
    """Return weights of several shapes and sizes, among them a row that is zero and one of tiny numbers."""
    torch.manual_seed(0)
    matrix = torch.randn(200, 64)
    matrix[3] = 0.0
    matrix[4] *= 1e-4
    return {
        "matrix": matrix,
        "kernel": torch.randn(64, 32, 3),
        "few": torch.randn(3, 3),
        "bias": torch.randn(5000),
        "codes": torch.arange(6000).reshape(60, 100),
    }


def test_matrices_come_back_within_half_a_step_and_all_else_as_it_was(state, tmp_path):
    save_weights(state, tmp_path / "w.safetensors")
    found = load_weights(tmp_path / "w.safetensors")
    assert found.keys() == state.keys()
    for name in ("matrix", "kernel"):
        step = state[name].flatten(1).abs().amax(dim=1) / 127
        error = (found[name] - state[name]).flatten(1).abs().amax(dim=1)
        assert (error <= 0.51 * step + 4e-5).all()  # a scale is no smaller than float16 can say
        assert found[name].dtype == torch.float32
    for name in ("few", "bias", "codes"):
        assert torch.equal(found[name], state[name])


def test_what_was_loaded_is_saved_and_loaded_again_as_it_is(state, tmp_path):
    save_weights(state, tmp_path / "a.safetensors")
    once = load_weights(tmp_path / "a.safetensors")
    save_weights(once, tmp_path / "b.safetensors")
    again = load_weights(tmp_path / "b.safetensors")
    assert all(torch.allclose(again[name], once[name], rtol=2e-3, atol=1e-7) for name in state)


def test_a_matrix_takes_a_byte_a_number(tmp_path):
    save_weights({"m": torch.randn(1000, 256)}, tmp_path / "w.safetensors")
    assert (tmp_path / "w.safetensors").stat().st_size < 1000 * 256 * 1.02 + 500


def test_a_weight_that_is_called_like_a_scale_stays_itself(tmp_path):
    own = {"norm" + SCALE: torch.randn(7)}
    save_weights(own, tmp_path / "w.safetensors")
    assert torch.equal(load_weights(tmp_path / "w.safetensors")["norm" + SCALE], own["norm" + SCALE])


def test_a_damaged_file_is_an_error_of_safetensors(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"nothing")
    with pytest.raises(SafetensorError):
        load_weights(tmp_path / "w.safetensors")
