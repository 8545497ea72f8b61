"""Keep a trained language model with its text tokenizer; load and save it.

In a checkpoint's `language/`: `language.json` (sizes; the base model's name, if any), `tokens.safetensors` (rows of the new
tokens and the heads), and either the built-in backbone with its tokenizer in Hugging Face layout or `adapter/`, the LoRA weights.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from htp.errors import InputError
from htp.language.backbone import built_in, built_in_tokenizer, encode_texts, from_base
from htp.language.decode import Sampling, write_answers
from htp.language.model import LanguageModel
from htp.language.prompt import Facts, Question, ask, question_texts
from htp.language.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from htp.city.network import City
    from htp.config import LanguageConfig
    from htp.language.batch import Answer

LORA_LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
HEADS = ("rows.small", "rows.roads", "place", "query", "key", "progress")


class Language:
    """Stage 2: conditions to patterns."""

    def __init__(self, model: LanguageModel, tokenizer: PreTrainedTokenizerFast, base: str | None = None) -> None:
        self.model, self.tokenizer, self.base = model, tokenizer, base

    @classmethod
    def new(cls, config: LanguageConfig, vocabulary: Vocabulary, road_features: Tensor, facts: Facts, city: City) -> Language:
        """Make an untrained built-in model; its text tokenizer is learned from the questions of `facts`."""
        tokenizer = built_in_tokenizer(question_texts(facts, city), config.text_vocabulary)
        backbone = built_in(config, len(tokenizer))
        return cls(LanguageModel(backbone, vocabulary, len(tokenizer), road_features), tokenizer)

    @classmethod
    def on_base(cls, base: str, vocabulary: Vocabulary, road_features: Tensor, rank: int) -> Language:
        """Put new tokens and LoRA adapters on a base model, whose own weights stay as they are (paper §4.2)."""
        backbone, tokenizer = from_base(base)
        size = backbone.get_input_embeddings().num_embeddings
        lora = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(LORA_LAYERS))
        model = LanguageModel(get_peft_model(backbone, lora), vocabulary, size, road_features)
        return cls(model, tokenizer, base)

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> Language:
        """Load a language model; `InputError` where a file is missing or damaged."""
        try:
            facts = json.loads((folder / "language.json").read_text(encoding="utf-8"))
            vocabulary = Vocabulary(tuple(facts["codebook_sizes"]), facts["roads"])
            if facts["base"] is None:
                backbone = AutoModel.from_pretrained(folder, trust_remote_code=False, dtype=torch.float32)
                tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
            else:
                backbone, tokenizer = from_base(facts["base"])
                backbone = PeftModel.from_pretrained(backbone, folder / "adapter")
            model = LanguageModel(backbone, vocabulary, facts["text_size"])
            state = {name: tensor.float() for name, tensor in load_file(folder / "tokens.safetensors").items()}
            left_out, foreign = model.load_state_dict(state, strict=False)
        except InputError:
            raise
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise InputError(f"{folder}: the language model is missing or damaged; train it again.") from error
        if foreign or any(not name.startswith("backbone.") for name in left_out):
            raise InputError(f"{folder}/tokens.safetensors: does not hold the rows this program expects; train it again.")
        return cls(model.to(device).eval(), tokenizer, facts["base"])

    def save(self, folder: Path) -> None:
        """Write the model, weights in bfloat16 as they are trained."""
        folder.mkdir(parents=True, exist_ok=True)
        model = self.model
        model.rows.settle()
        state = {name: t for name, t in model.state_dict().items() if name.startswith(HEADS)}
        save_file({name: t.bfloat16().contiguous() for name, t in state.items()}, folder / "tokens.safetensors")
        if self.base is None:
            model.backbone.to(torch.bfloat16).save_pretrained(folder)
            model.backbone.float()
            self.tokenizer.save_pretrained(folder)
        else:
            model.backbone.save_pretrained(folder / "adapter")
        facts = {
            "codebook_sizes": list(model.vocabulary.codebook_sizes),
            "roads": model.vocabulary.roads,
            "text_size": model.text_size,
            "base": self.base,
        }
        (folder / "language.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    def ask(self, facts: Facts, city: City) -> list[Question]:
        """Return the questions of trips."""
        vocabulary, size = self.model.vocabulary, self.model.text_size
        return ask(facts, city, vocabulary, size, lambda texts: encode_texts(self.tokenizer, texts))

    def write(
        self,
        facts: Facts,
        city: City,
        keys: NDArray,
        sampling: Sampling,
        progress: Callable[[int], None] | None = None,
    ) -> list[Answer]:
        """Return the patterns of one trip for each of the facts."""
        return write_answers(self.model, self.ask(facts, city), keys, sampling, progress=progress)
