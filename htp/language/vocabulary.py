"""Number the tokens that are added to the language model's vocabulary (paper §4.2).

Four marks, eight length tokens, the pattern tokens of every codebook layer and a token for each road: V + ΣC_l + 8 + 4
in all. They lie behind the base model's own vocabulary and outside its text tokenizer, so no street name can spell one.
"""

from __future__ import annotations

from dataclasses import dataclass

MARKS = ("<|t_begin|>", "<|t_end|>", "<|p_begin|>", "<|p_end|>")
LENGTHS = 8
LAYERS = "abcdefghijklmnop"


@dataclass(frozen=True)
class Vocabulary:
    """Where each new token lies, counted from the first new token."""

    codebook_sizes: tuple[int, ...]
    roads: int

    def __len__(self) -> int:
        return self.first_road + self.roads

    @property
    def first_road(self) -> int:
        """The token of road 0; all before it are marks, lengths and codes."""
        return len(MARKS) + LENGTHS + sum(self.codebook_sizes)

    def mark(self, name: str) -> int:
        """Return the token of a mark, e.g. "<|t_begin|>"."""
        return MARKS.index(name)

    def length(self, record: int) -> int:
        """Return the token <t_record>."""
        return len(MARKS) + record

    def first_code(self, layer: int) -> int:
        """Return the token of code 0 of a codebook layer, layers counted from 0."""
        return len(MARKS) + LENGTHS + sum(self.codebook_sizes[:layer])

    def name(self, token: int) -> str:
        """Return how a token is written, e.g. "<b_17>"."""
        if token < len(MARKS):
            return MARKS[token]
        if token < len(MARKS) + LENGTHS:
            return f"<t_{token - len(MARKS)}>"
        if token >= self.first_road:
            return f"<road_{token - self.first_road}>"
        layer = max(i for i in range(len(self.codebook_sizes)) if self.first_code(i) <= token)
        return f"<{LAYERS[layer]}_{token - self.first_code(layer)}>"
