"""Name every setting of the two stages, with the paper's defaults; saved as JSON beside the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TokenizerConfig:
    """The road-conditioned RQ-VAE (paper A.5)."""

    codebook_sizes: tuple[int, ...] = (32, 64, 128, 256)  # C_1..C_L, A.5
    dims: tuple[int, int, int, int] = (64, 128, 128, 256)  # d .. d_e after each halving, A.5
    quantizer_dim: int = 64  # d_q, A.5
    head_dim: int = 64  # A.5
    road_dim: int = 128  # d_r, node2vec dimension, A.5
    road_layers: int = 2  # ours, for two cores; the paper's is 4 (A.5)
    commitment: float = 0.25  # beta, A.5
    inputs: str = "relative"  # "absolute": equation 1 as it reads; "relative": ours, movement in the route's frame
    increments: str = "drawn"  # ours, see steps.py; "free": the paper's regression; "normalised", "anchored": between
    offset_noise: bool = True  # False: offsets regressed to their mean as in equation 11

    def __post_init__(self) -> None:
        """Check the choices that are names."""
        if self.inputs not in ("relative", "absolute"):
            raise ValueError(f"inputs is {self.inputs!r}; choose 'relative' or 'absolute'")
        if self.increments not in ("drawn", "anchored", "normalised", "free"):
            raise ValueError(f"increments is {self.increments!r}; choose 'drawn', 'anchored', 'normalised' or 'free'")
        if self.increments == "drawn" and not self.offset_noise:
            raise ValueError("offsets are drawn where increments are; choose other increments to regress offsets")


@dataclass(frozen=True)
class TokenizerTraining:
    """How stage 1 is trained (paper 5.1, with a shorter schedule for two cores)."""

    epochs: int = 100  # paper 5.1
    minutes: float | None = None  # stop earlier, with the learning rate annealed to the end of this time
    batch_size: int = 128  # ours; the paper's 256 a GPU on four GPUs (5.1)
    learning_rate: float = 1e-3  # ours; the paper's 1e-4 wants its 100 epochs
    weight_decay: float = 0.01
    seed: int = 0


@dataclass(frozen=True)
class LanguageConfig:
    """The built-in language model: a small Qwen3 (ours; the paper's is Qwen3-1.7B)."""

    hidden: int = 256
    layers: int = 4
    heads: int = 4
    kv_heads: int = 2
    intermediate: int = 768
    text_vocabulary: int = 1024  # byte-level pieces for the words and numbers of the prompt


@dataclass(frozen=True)
class LanguageTraining:
    """How stage 2 is trained (paper 5.1)."""

    epochs: float = 2.0  # paper 5.1
    minutes: float | None = None  # stop earlier, with the learning rate annealed to the end of this time
    batch_size: int = 32  # ours; the paper's 16 a GPU on four GPUs
    learning_rate: float = 1e-3  # ours for the built-in model; the paper's 5e-4 for LoRA
    weight_decay: float = 0.01
    lora_rank: int = 16  # paper 5.1, used with --base
    seed: int = 0


def with_tuples(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings read from JSON, whose lists are tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
