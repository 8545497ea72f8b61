"""Predict patterns with a causal transformer whose vocabulary has roads, codes, lengths and marks besides (paper §4.2).

The backbone is any causal model of `transformers`, without its output head: an answer consists of new tokens only, so
logits are computed for those that may come next and for no others. The rows of the new tokens are our own table,
trained and stored apart from the base model's embedding, which stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from htp.language.prompt import PLACE

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

    from htp.language.vocabulary import Vocabulary

POINTS_PER_PATTERN = 8
POINTER = 64  # width of the anchor head
PROGRESS = 6  # facts that the anchor head weighs besides


@dataclass(frozen=True)
class TokenBatch:
    """A padded batch of questions, with their answers where they are known."""

    ids: Tensor  # [B, S] long
    mask: Tensor  # [B, S] bool
    place: Tensor  # [B, S, PLACE], zero where the token is no road of the route
    answer_at: Tensor  # [B] where the answer begins
    first_road_at: Tensor  # [B] where the route's first road stands
    road_mask: Tensor  # [B, R] bool
    road_start_m: Tensor  # [B, R]
    road_end_m: Tensor  # [B, R]
    distance_m: Tensor  # [B]
    patterns: Tensor  # [B] number of patterns
    anchors: Tensor  # [B, P] long, for training
    codes: Tensor  # [B, P, L] long, for training

    @property
    def number(self) -> Tensor:
        """The number of each pattern, [B, P]."""
        return torch.arange(self.anchors.shape[1], device=self.anchors.device).expand(len(self.anchors), -1)

    @property
    def real(self) -> Tensor:
        """Which patterns are no padding, [B, P]."""
        return self.number < self.patterns[:, None]

    @property
    def before(self) -> Tensor:
        """The anchor before each pattern's, 0 at first, [B, P]."""
        return F.pad(self.anchors[:, :-1], (1, 0))

    def to(self, device: torch.device | str) -> Self:
        """Return the same on a device."""
        return replace(self, **{name: tensor.to(device, non_blocking=True) for name, tensor in vars(self).items()})

    def without(self, first: int) -> Self:
        """Return views of the same without the first trips."""
        return replace(self, **{name: tensor[first:] for name, tensor in vars(self).items()})


class TokenRows(nn.Module):
    """The embedding rows of the new tokens; a road's row is what its features say.

    Ours: in the paper every road has a row of its own, which nobody has learned where no trip was driven, and in which
    a trip that was learned by heart leaves its traces. Without features it is so here too.
    """

    features: Tensor | None
    told: Tensor | None

    def __init__(self, vocabulary: Vocabulary, hidden: int, road_features: Tensor | None) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.small = nn.Embedding(vocabulary.first_road, hidden)
        nn.init.normal_(self.small.weight, std=0.02)
        self.register_buffer("features", road_features, persistent=False)  # [V, F]
        self.register_buffer("told", None, persistent=False)  # [V, hidden] once nothing is trained any more
        self.roads: nn.Embedding | None = None
        self.tell: nn.Sequential | None = None
        if road_features is None:
            self.roads = nn.Embedding(vocabulary.roads, hidden)
            nn.init.zeros_(self.roads.weight)
        else:
            last = nn.Linear(hidden, hidden)
            nn.init.normal_(last.weight, std=0.04 / hidden**0.5)
            self.tell = nn.Sequential(nn.Linear(road_features.shape[1], hidden), nn.GELU(), last)

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002  torch's own
        """Forget what the roads' rows were: their features say it anew."""
        self.told = None
        return super().train(mode)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the rows of new tokens [...] → [..., hidden]."""
        is_road = tokens >= self.vocabulary.first_road
        small = self.small(tokens.clamp_max(self.vocabulary.first_road - 1))
        return torch.where(is_road[..., None], self._road((tokens - self.vocabulary.first_road).clamp_min(0)), small)

    def _road(self, road: Tensor) -> Tensor:
        if self.roads is not None:
            return self.roads(road)
        assert self.tell is not None
        assert self.features is not None
        if self.training or torch.is_grad_enabled():
            return self.tell(self.features[road])
        if self.told is None:
            self.told = self.tell(self.features)
        return self.told[road]


class LanguageModel(nn.Module):
    """A backbone, the new tokens' rows, a head for codes (tied to the rows) and a head for anchors (a pointer).

    Every token is read and predicted by the backbone, as in the paper; `htp.language.depth` has the model that ships.
    """

    names_anchors: ClassVar[bool] = True  # each pattern, the road that it ends on

    def __init__(
        self,
        backbone: PreTrainedModel | PeftModel,
        vocabulary: Vocabulary,
        text_size: int,
        road_features: Tensor | None = None,
        gain: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.gain: Tensor | None
        self.register_buffer("gain", gain)  # [hidden] of what the heads read of a base model
        hidden = backbone.config.hidden_size
        self.backbone, self.vocabulary, self.text_size = backbone, vocabulary, text_size
        self.rows = TokenRows(vocabulary, hidden, road_features)
        self.place = nn.Linear(PLACE, hidden, bias=False)
        self.query, self.key = nn.Linear(hidden, POINTER), nn.Linear(hidden, POINTER)
        self.progress = nn.Sequential(nn.Linear(PROGRESS, 32), nn.GELU(), nn.Linear(32, 1))
        nn.init.normal_(self.place.weight, std=0.005)
        self.add_layers(hidden)

    def add_layers(self, hidden: int) -> None:
        """Add the layers that a model of another kind has besides; this one has none."""

    def embed(self, ids: Tensor, place: Tensor) -> Tensor:
        """Return input embeddings [B, S, hidden] of ids [B, S]; `place` says where a road lies on its route."""
        is_new = ids >= self.text_size
        text = self.backbone.get_input_embeddings()(ids.clamp_max(self.text_size - 1))
        new = self.rows((ids - self.text_size).clamp_min(0))
        return torch.where(is_new[..., None], new.to(text.dtype), text) + self.place(place).to(text.dtype)

    def embed_code(self, layer: int, code: Tensor) -> Tensor:
        """Return the input embeddings [B, hidden] of codes [B] of a layer."""
        return self.rows.small(self.vocabulary.first_code(layer) + code).to(self.backbone.dtype)

    def code_logits(self, h: Tensor, layer: int) -> Tensor:
        """Return the logits of the codes of one layer, [..., C_l]: all that the grammar allows there."""
        first = self.vocabulary.first_code(layer)
        rows = self.rows.small.weight[first : first + self.vocabulary.codebook_sizes[layer]]
        return F.linear(self._even(h), rows.to(h.dtype))

    def anchor_logits(self, h: Tensor, keys: Tensor, batch: TokenBatch, before: Tensor, pattern: Tensor) -> Tensor:
        """Return the logits of the road on which a pattern ends, [B, P, R].

        `h` [B, P, hidden] from which each anchor is predicted, `keys` [B, R, POINTER] of the route's roads, `before`
        [B, P] the anchor before (0 at first), `pattern` [B, P] its number. Roads behind the one before get -inf, and
        the last pattern ends on the last road.
        """
        scores = self.query(self._even(h)) @ keys.transpose(1, 2) / POINTER**0.5
        return self.anchor_distances(batch, before, pattern) + scores.float()

    def anchor_distances(self, batch: TokenBatch, before: Tensor, pattern: Tensor) -> Tensor:
        """Return what distances alone say of the logits of anchors, [B, P, R]; -inf where no anchor may be."""
        scores = self.progress(self._progress(batch, before, pattern)).float()[..., 0]
        number = torch.arange(batch.road_mask.shape[1], device=before.device)
        allowed = batch.road_mask[:, None] & (number >= before[..., None])
        last_road = batch.road_mask.sum(dim=1)[:, None, None] - 1
        is_last = (pattern >= batch.patterns[:, None] - 1)[..., None]
        return scores.masked_fill(~torch.where(is_last, number == last_road, allowed), -torch.inf)

    def road_keys(self, h: Tensor, first_road_at: Tensor, roads: int) -> Tensor:
        """Return the keys [B, R, POINTER] of the roads, which stand in a row from `first_road_at` in `h` [B, S, .]."""
        return self.key(taken(self._even(h), first_road_at[:, None] + torch.arange(roads, device=h.device)))

    def forward(self, batch: TokenBatch) -> Tensor:
        """Return the loss: what a training calls, alone or in several processes."""
        return self.loss(batch)

    def loss(self, batch: TokenBatch) -> Tensor:
        """Return the mean cross-entropy of anchors and codes, each among the tokens that may stand there."""
        return self.score(*self.read(batch, batch.codes.shape[1]), batch)

    def read(self, batch: TokenBatch, patterns: int) -> tuple[Tensor, Tensor]:
        """Return what the tokens of so many patterns are predicted from, [B, P, 1 + L, hidden], and the roads' keys."""
        h = self.backbone(
            inputs_embeds=self.embed(batch.ids, batch.place), attention_mask=batch.mask.long(), use_cache=False
        ).last_hidden_state
        per_pattern = 1 + batch.codes.shape[2]
        answer = taken(h, batch.answer_at[:, None] - 1 + torch.arange(patterns * per_pattern, device=h.device))
        keys = self.road_keys(h, batch.first_road_at, batch.road_mask.shape[1])
        return answer.unflatten(1, (patterns, per_pattern)), keys

    def score(self, answer: Tensor, keys: Tensor, batch: TokenBatch) -> Tensor:
        """Return the mean cross-entropy of the answers, given what `read` returns."""
        real = batch.real
        logits = self.anchor_logits(answer[:, :, 0], keys, batch, batch.before, batch.number)
        total = F.cross_entropy(logits[real], batch.anchors[real], reduction="sum")
        for layer in range(batch.codes.shape[2]):
            logits = self.code_logits(answer[:, :, layer + 1][real], layer).float()
            total = total + F.cross_entropy(logits, batch.codes[..., layer][real], reduction="sum")
        return total / (real.sum() * answer.shape[2])

    def _even(self, h: Tensor) -> Tensor:
        return h if self.gain is None else h * self.gain.to(h.dtype)

    @staticmethod
    def _progress(batch: TokenBatch, before: Tensor, pattern: Tensor) -> Tensor:
        """Return how far roads lie ahead against how far a pattern goes on average, [B, P, R, PROGRESS]."""
        there = batch.road_start_m.gather(1, before)[..., None]
        total = batch.road_end_m.amax(dim=1)[:, None, None]
        left = (batch.patterns[:, None] - pattern)[..., None].clamp_min(1)
        mean_m = (total - there) / left
        start, end = batch.road_start_m[:, None] - there, batch.road_end_m[:, None] - there
        inside = (start / mean_m.clamp_min(1.0)).clamp(-8, 8), (end / mean_m.clamp_min(1.0)).clamp(-8, 8)
        shape = start.shape
        columns = [start / 1000, end / 1000, *inside, (mean_m / 1000).expand(shape), (left / 10).expand(shape)]
        return torch.stack(columns, dim=-1).float()


def taken(h: Tensor, places: Tensor) -> Tensor:
    """Return the states [B, N, hidden] at places [B, N] of `h` [B, S, hidden]; beyond its end, the last one."""
    return h.gather(1, places.clamp_max(h.shape[1] - 1)[..., None].expand(-1, -1, h.shape[-1]))
