"""Train a base model by LoRA adapters and keep them apart from its own weights, which stay where they came from.

In a checkpoint's `language/adapter/`; the base model is known again by its name and the norm of its embedding.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from peft import LoraConfig, PeftModel, get_peft_model
from peft.utils import SAFETENSORS_WEIGHTS_NAME

from htp.errors import InputError
from htp.language.backbone import from_base

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

ADAPTER = "adapter"  # its folder


def with_adapters(backbone: PreTrainedModel, rank: int) -> Any:
    """Return a base model with untrained adapters, which alone are trained (paper §4.2).

    They are on all linear layers, attention and feed-forward alike (ours; the paper gives the rank alone).
    """
    return get_peft_model(backbone, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear"))


def load_adapted(base: str, norm: float, folder: Path) -> tuple[PeftModel, PreTrainedTokenizerFast]:
    """Return the base model with the adapter of `folder`, and its tokenizer.

    `InputError` where the base model is not there, is another one than at training, or the adapter is missing.
    """
    backbone, tokenizer = from_base(_place_of_base(base, folder))
    if not math.isclose(embedding_norm(backbone), norm, rel_tol=1e-3):
        raise InputError(
            f"{folder}: was trained on another model than {base} is now; put the one it was trained on there."
        )
    if not (folder / ADAPTER / SAFETENSORS_WEIGHTS_NAME).is_file():  # peft would take a pickle instead
        raise InputError(f"{folder}/{ADAPTER}: {SAFETENSORS_WEIGHTS_NAME} is missing; take a whole checkpoint.")
    return PeftModel.from_pretrained(backbone, str(folder / ADAPTER)), tokenizer


def save_adapter(backbone: Any, folder: Path) -> None:
    """Write the adapter's weights in bfloat16."""
    adapter = {name: t.bfloat16() for name, t in backbone.state_dict().items() if "lora_" in name}
    backbone.save_pretrained(str(folder / ADAPTER), state_dict=adapter, save_embedding_layers=False)
    (folder / ADAPTER / "README.md").unlink()  # peft's blank form of a model card


def _place_of_base(base: str, folder: Path) -> str:
    """Return where the base model is found: where it was at training, or a copy of it beside its adapter."""
    beside = folder / Path(base).name
    if not Path(base).exists() and beside.exists():
        return str(beside)
    if Path(base).is_absolute() and not Path(base).exists():
        raise InputError(
            f"{folder}: needs the base model {base}, which is not there any more; put it back, or a copy of it into "
            f"{folder} under the name {beside.name}."
        )
    return base


def embedding_norm(backbone: PreTrainedModel | PeftModel) -> float:
    """Return one number by which a base model is known again, whatever machine has loaded it."""
    return float(cast("nn.Embedding", backbone.get_input_embeddings()).weight.detach().float().norm())
