"""Get the language model's backbone and text tokenizer: the small built-in one, or any causal model of `transformers`.

A base model comes from a folder, a GGUF file, or a hub name; code that comes with a model is never run.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast, Qwen3Config, Qwen3Model

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from htp.config import LanguageConfig


def built_in(config: LanguageConfig, text_size: int) -> PreTrainedModel:
    """Return an untrained Qwen3-architecture transformer for `text_size` text tokens."""
    return Qwen3Model(
        Qwen3Config(
            vocab_size=text_size,
            hidden_size=config.hidden,
            intermediate_size=config.intermediate,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.kv_heads,
            head_dim=config.hidden // config.heads,
            max_position_embeddings=4096,
            use_cache=True,
        )
    )


def built_in_tokenizer(texts: Iterable[str], size: int) -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer learned from texts, digits in pairs; any text can be written with it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?\d{1,2}"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    pairs = [f"{space}{number:02d}" for space in ("", " ") for number in range(100)] * 50  # each pair of digits a token
    tokenizer.train_from_iterator([*texts, *pairs], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def from_base(base: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Return backbone and tokenizer of a causal model in a folder, a .gguf file, or on the hub."""
    path = Path(base)
    source, options = base, {}
    if path.suffix == ".gguf":
        if not path.is_file():
            raise InputError(f"{base}: no such GGUF file; name a folder, a .gguf file or a model of the hub.")
        source, options = str(path.parent), {"gguf_file": path.name}
    try:
        model = AutoModel.from_pretrained(
            source, trust_remote_code=False, use_safetensors=True, dtype="float32", **options
        )
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False, **options)
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise InputError(
            f"{base}: no causal language model could be loaded from it ({reason}); "
            "name a folder, a .gguf file or a model of the hub."
        ) from error
    if not _is_causal(model):
        raise InputError(f"{base}: is no causal language model; take one that writes text from left to right.")
    return model, tokenizer  # type: ignore[return-value]  # PreTrainedTokenizerFast in all that loads here


def _is_causal(model: PreTrainedModel) -> bool:
    """Return whether no token sees those after it; `transformers` loads encoders just as readily."""
    ids = torch.tensor([[1, 2, 3], [1, 2, 4]])
    try:
        with torch.no_grad():
            h = model(input_ids=ids).last_hidden_state
    except (TypeError, ValueError, AttributeError):  # made for images or for pairs of texts
        return False
    return torch.allclose(h[0, :2], h[1, :2], atol=1e-3)


def balance(model: PreTrainedModel) -> Tensor:
    """Return factors [hidden] that bring each dimension of a base model's last hidden states to size 1.

    Ours: a few dimensions of a pretrained model are large whatever it reads (one of SmolLM2-135M is near 49, the
    root mean square of all is 2.5) and drown the rest in heads that start at random.
    """
    ids = torch.randint(model.config.vocab_size, (4, 64), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        h = model(input_ids=ids).last_hidden_state
    return h.square().mean(dim=(0, 1)).clamp_min(1e-6).rsqrt()


def encode_texts(tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> list[list[int]]:
    """Return the ids of texts; whatever looks like a special token in them is read as plain text."""
    return tokenizer(texts, add_special_tokens=False, split_special_tokens=True)["input_ids"]
