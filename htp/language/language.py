"""Keep a trained language model with its text tokenizer; load and save it.

In a checkpoint's `language/`: `language.json` (sizes; the base model's name, if any), `tokens.safetensors` (rows of the
new tokens and the heads), and either the built-in backbone, `backbone.safetensors` with configuration and tokenizer as
Hugging Face writes them, or `adapter/`, the LoRA weights.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from htp.compute.weights import load_weights, save_weights
from htp.errors import InputError
from htp.files import replacing
from htp.json_files import read_object
from htp.language.backbone import balance, built_in, built_in_tokenizer, encode_texts, from_base
from htp.language.batch import collate
from htp.language.depth import DepthModel
from htp.language.lora import ADAPTER, embedding_norm, load_adapted, save_adapter, with_adapters
from htp.language.prompt import PromptConditions, Question, ask, question_texts
from htp.language.sampling import in_batches, sample_batch
from htp.language.vocabulary import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from htp.city.network import City
    from htp.config import LanguageConfig
    from htp.language.batch import Answer
    from htp.language.model import LanguageModel, TokenBatch
    from htp.trip_source import Sampling

TOKENS, BACKBONE = "tokens.safetensors", "backbone.safetensors"


class Language:
    """Stage 2: conditions to patterns."""

    model_type: ClassVar[type[LanguageModel]] = DepthModel

    def __init__(self, model: LanguageModel, tokenizer: PreTrainedTokenizerFast, base: str | None = None) -> None:
        self.model, self.tokenizer, self.base = model, tokenizer, base

    @classmethod
    def new(
        cls,
        config: LanguageConfig,
        vocabulary: Vocabulary,
        road_features: Tensor,
        conditions: PromptConditions,
        city: City,
    ) -> Language:
        """Make an untrained built-in model; its text tokenizer is learned from the questions of `conditions`."""
        tokenizer = built_in_tokenizer(question_texts(conditions, city), config.text_vocabulary)
        backbone = built_in(config, len(tokenizer))
        return cls(cls.model_type(backbone, vocabulary, len(tokenizer), road_features), tokenizer)

    @classmethod
    def on_base(cls, base: str, vocabulary: Vocabulary, road_features: Tensor, rank: int) -> Language:
        """Put new tokens and LoRA adapters on a base model, whose own weights stay as they are (paper §4.2)."""
        backbone, tokenizer = from_base(base)
        size = cast("nn.Embedding", backbone.get_input_embeddings()).num_embeddings
        gain = balance(backbone)
        model = cls.model_type(with_adapters(backbone, rank), vocabulary, size, road_features, gain)
        return cls(model, tokenizer, str(Path(base).resolve()) if Path(base).exists() else base)

    def moved(self, vocabulary: Vocabulary, road_features: Tensor, columns: slice) -> Language:
        """Return the model put on another city, whose roads have `road_features` [V, F], to be trained on there.

        Its roads begin like roads here that are like them, as far as the `columns` of the features tell, which mean
        the same in both cities. Rows that roads have of their own stay behind: those of the new city begin anew.
        """
        model = type(self.model)(self.model.backbone, vocabulary, self.model.text_size, road_features, self.model.gain)
        rows = {name for name in self.model.state_dict() if name.startswith("rows.roads")}
        model.load_state_dict(
            {name: t for name, t in self.model.state_dict().items() if name not in rows}, strict=False
        )
        first = cast("nn.Linear", cast("nn.Sequential", model.rows.tell)[0])
        with torch.no_grad():
            told = torch.zeros_like(first.weight)
            told[:, columns] = first.weight[:, columns]
            first.weight.copy_(told)
        return type(self)(model, self.tokenizer, self.base)

    @classmethod
    def load(cls, folder: Path, road_features: Tensor, device: str = "cpu") -> Language:
        """Load a language model over roads that have `road_features` [V, F].

        `InputError` where a file is missing or damaged, or the roads are others.
        """
        broken = f"{folder}: the language model is missing or damaged; train it again."
        try:
            facts = read_object(folder / "language.json")
        except InputError as error:
            raise InputError(broken) from error
        try:
            vocabulary = Vocabulary(tuple(facts["codebook_sizes"]), facts["roads"])
            if facts["base"] is None:
                backbone = AutoModel.from_config(AutoConfig.from_pretrained(folder, trust_remote_code=False))
                backbone.load_state_dict(load_weights(folder / BACKBONE))
                tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
            else:
                backbone, tokenizer = load_adapted(facts["base"], facts["base_norm"], folder)
            gain = None if facts["base"] is None else torch.ones(backbone.config.hidden_size)  # to be loaded
            told = road_features if facts.get("roads_are_told") else None
            model = cls.model_type(backbone, vocabulary, facts["text_size"], told, gain)
            left_out, foreign = model.load_state_dict(load_weights(folder / TOKENS), strict=False)
        except InputError:
            raise
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise InputError(broken) from error
        if foreign or any(not name.startswith("backbone.") for name in left_out):
            raise InputError(f"{folder}/tokens.safetensors: does not hold the rows that are expected; train it again.")
        if told is not None and len(told) != vocabulary.roads:
            raise InputError(f"{folder}: knows {vocabulary.roads} roads, the city has {len(told)}; train it on it.")
        return cls(model.to(device).eval(), cast("PreTrainedTokenizerFast", tokenizer), facts["base"])

    def save(self, folder: Path) -> None:
        """Write the model, and go on with what was written."""
        folder.mkdir(parents=True, exist_ok=True)
        _remove_model(folder)
        model = self.model
        state = {name: t for name, t in model.state_dict().items() if not name.startswith("backbone.")}
        save_weights(state, folder / TOKENS)
        model.load_state_dict(load_weights(folder / TOKENS), strict=False)
        if self.base is None:
            save_weights(model.backbone.state_dict(), folder / BACKBONE)
            model.backbone.load_state_dict(load_weights(folder / BACKBONE))
            model.backbone.config.save_pretrained(str(folder))
            self.tokenizer.save_pretrained(folder)
        else:
            save_adapter(model.backbone, folder)
        model.eval()
        facts = {
            "codebook_sizes": list(model.vocabulary.codebook_sizes),
            "roads": model.vocabulary.roads,
            "roads_are_told": model.rows.tell is not None,
            "text_size": model.text_size,
            "base": self.base,
            "base_norm": None if self.base is None else embedding_norm(model.backbone),
        }
        with replacing(folder / "language.json") as path:
            path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")

    def ask(self, conditions: PromptConditions, city: City) -> list[Question]:
        """Return the questions of trips."""
        vocabulary, size = self.model.vocabulary, self.model.text_size
        return ask(conditions, city, vocabulary, size, lambda texts: encode_texts(self.tokenizer, texts))

    def collate(self, questions: Sequence[Question], answers: Sequence[Answer]) -> TokenBatch:
        """Return a padded batch of questions and answers: what the model is trained on."""
        return collate(questions, answers, self.model.vocabulary, self.model.text_size)

    def generate(
        self,
        conditions: PromptConditions,
        city: City,
        keys: NDArray,
        sampling: Sampling,
        progress: Callable[[int], None] | None = None,
    ) -> list[Answer]:
        """Return the patterns of one trip for each of the facts."""

        def sample(questions: list[Question], keys: NDArray) -> list[Answer]:
            return self.sample_batch(questions, keys, sampling)

        return in_batches(self.ask(conditions, city), keys, sample, progress=progress)

    def sample_batch(self, questions: list[Question], keys: NDArray, sampling: Sampling) -> list[Answer]:
        """Return the answers to questions in order of their lengths."""
        return sample_batch(self.model, questions, keys, sampling)


def _remove_model(folder: Path) -> None:
    """Remove the model that was there before, which may be of the other kind: half of each must not look whole."""
    shutil.rmtree(folder / ADAPTER, ignore_errors=True)
    for name in ("language.json", "config.json", BACKBONE, "tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink(missing_ok=True)
