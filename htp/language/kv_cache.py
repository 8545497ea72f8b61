"""Read tokens one after another, with the keys and values of those before kept: what generation spends its time on.

`transformers` reads any base model. The built-in one is read by a loop of our own over the same weights: keys and
values stay where they are instead of being copied at every token, those of the tokens that all trips of a batch begin
with are kept once, and padding is not computed. `docs/speed.md` has what that brings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import DynamicCache, Qwen3Model

from htp.compute.batching import runs_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from peft import PeftModel
    from transformers import PreTrainedModel
    from transformers.models.qwen3.modeling_qwen3 import Qwen3DecoderLayer


class KVCache(Protocol):
    """The state of a batch of texts: first `share` or nothing, then `read`, then `step` by `step`."""

    def share(self, embedded: Tensor) -> Tensor:
        """Read the tokens [1, S, hidden] that all texts begin with; return their last hidden states."""

    def read(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Read the next tokens [B, S, hidden]; `mask` [B, S] is False at padding, which stands on the left."""

    def step(self, embedded: Tensor) -> Tensor:
        """Read one more token of each text, [B, hidden]; return its last hidden state."""

    def leave(self, done: int) -> None:
        """Go on without the first texts."""


def kv_cache_of(backbone: PreTrainedModel | PeftModel, texts: int, tokens: int) -> KVCache:
    """Return the reader of a backbone for so many texts of at most so many tokens besides those they share."""
    if isinstance(backbone, Qwen3Model):
        return InPlaceKVCache(backbone, texts, tokens)
    return DynamicKVCache(backbone, texts)


class DynamicKVCache:
    """Read with any causal model of `transformers`."""

    def __init__(self, backbone: PreTrainedModel | PeftModel, texts: int) -> None:
        self.backbone, self.cache, self.texts = backbone, DynamicCache(), texts
        self.mask = torch.zeros(texts, 0, dtype=torch.long)  # of all tokens so far

    def share(self, embedded: Tensor) -> Tensor:
        """Read the tokens [1, S, hidden] that all texts begin with; return their last hidden states."""
        ones = torch.ones(self.texts, embedded.shape[1], dtype=torch.long, device=embedded.device)
        h = self._read(embedded, ones[:1], ones[:1].cumsum(dim=1) - 1)
        self.cache.batch_repeat_interleave(self.texts)
        self.mask = ones
        return h

    def read(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Read the next tokens [B, S, hidden]; `mask` [B, S] is False at padding, which stands on the left."""
        self.mask = torch.cat([self.mask.to(mask.device), mask.long()], dim=1)
        position = (self.mask.cumsum(dim=1) - 1).clamp_min(0)
        return self._read(embedded, self.mask, position[:, -mask.shape[1] :])

    def step(self, embedded: Tensor) -> Tensor:
        """Read one more token of each text, [B, hidden]; return its last hidden state."""
        self.mask = torch.cat([self.mask, torch.ones_like(self.mask[:, :1])], dim=1)
        return self._read(embedded[:, None], self.mask, self.mask.sum(dim=1, keepdim=True) - 1)[:, 0]

    def leave(self, done: int) -> None:
        """Go on without the first texts."""
        self.cache.batch_select_indices(torch.arange(done, self.texts, device=self.mask.device))
        self.mask, self.texts = self.mask[done:], self.texts - done

    def _read(self, embedded: Tensor, mask: Tensor, position: Tensor) -> Tensor:
        return self.backbone(
            inputs_embeds=embedded,
            attention_mask=mask,
            position_ids=position,
            past_key_values=self.cache,
            use_cache=True,
        ).last_hidden_state


@dataclass(frozen=True)
class _Layer:
    """The weights of a layer, [inputs, outputs]; those of the same inputs are joined."""

    before: Tensor  # [hidden] of the norm before attention
    qkv: Tensor
    heads: Tensor  # [heads + kv heads, head_dim] of the norms of queries and keys; the scale of attention is in it
    out: Tensor
    middle: Tensor  # [hidden] of the norm before the feed-forward part
    gate_up: Tensor
    down: Tensor

    @classmethod
    def of(cls, layer: Qwen3DecoderLayer, heads: int, kv: int) -> Self:
        a, m = layer.self_attn, layer.mlp
        query, key = a.q_norm.weight * a.scaling, a.k_norm.weight
        return cls(
            before=layer.input_layernorm.weight,
            qkv=_columns(a.q_proj, a.k_proj, a.v_proj),
            heads=torch.cat([query.expand(heads, -1), key.expand(kv, -1)]),
            out=_columns(a.o_proj),
            middle=layer.post_attention_layernorm.weight,
            gate_up=_columns(m.gate_proj, m.up_proj),
            down=_columns(m.down_proj),
        )


class InPlaceKVCache:
    """Read with the built-in backbone: a Qwen3 transformer without biases and sliding windows."""

    def __init__(self, backbone: Qwen3Model, texts: int, tokens: int) -> None:
        config = backbone.config
        self.eps, self.dim = config.rms_norm_eps, config.head_dim
        self.heads, self.kv = config.num_attention_heads, cast("int", config.num_key_value_heads)
        layers = cast("Iterable[Qwen3DecoderLayer]", backbone.layers)
        self.layers = [_Layer.of(layer, self.heads, self.kv) for layer in layers]
        self.last = backbone.norm.weight
        self.rotary = backbone.rotary_emb
        self.texts, self.at = texts, 0  # tokens of each text so far, padding too
        like = self.last
        self.keys, self.values = (like.new_zeros(len(self.layers), texts, self.kv, tokens, self.dim) for _ in range(2))
        self.shared: list[tuple[Tensor, Tensor]] = []  # [kv heads, S, head_dim] of each layer
        self.position = torch.zeros(texts, dtype=torch.long, device=like.device)  # of the next token
        self.cos, self.sin = self._waves(tokens)
        self.padding: Tensor | None = None  # [B, 1, 1, tokens] -inf at padding; None: there is none

    def share(self, embedded: Tensor) -> Tensor:
        """Read the tokens [1, S, hidden] that all texts begin with; return their last hidden states."""
        tokens = embedded.shape[1]
        self.cos, self.sin = self._waves(tokens + self.keys.shape[3])
        self.position += tokens
        x = embedded
        for layer in self.layers:
            q, k, v = self._qkv(layer, x, self.cos[:tokens], self.sin[:tokens])
            self.shared.append((k[0], v[0]))
            x = self._rest(
                layer, x, F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0, enable_gqa=True)
            )
        return F.rms_norm(x, self.last.shape, self.last, self.eps)

    def read(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """Read the next tokens [B, S, hidden]; `mask` [B, S] is False at padding, which stands on the left."""
        tokens = mask.shape[1]
        counts = mask.sum(dim=1)
        out = torch.zeros_like(embedded)
        for rows in runs_of(counts.tolist(), mask.device.type):
            used = slice(tokens - int(counts[rows].max()), tokens)
            out[rows, used] = self._read_rows(rows, used, embedded[rows, used], mask[rows, used])
        if not bool(mask.all()):
            self.padding = torch.zeros(self.texts, 1, 1, self.keys.shape[3], device=embedded.device)
            self.padding[..., :tokens].masked_fill_(~mask[:, None, None], -torch.inf)
        self.position, self.at = self.position + counts, tokens
        return out

    def step(self, embedded: Tensor) -> Tensor:
        """Read one more token of each text, [B, hidden]; return its last hidden state."""
        cos, sin = self.cos[self.position][:, None, None], self.sin[self.position][:, None, None]
        at = self.at = self.at + 1
        x = embedded[:, None]
        for number, layer in enumerate(self.layers):
            q, k, v = self._qkv(layer, x, cos, sin)
            keys, values = self.keys[number], self.values[number]
            keys[:, :, at - 1], values[:, :, at - 1] = k[:, :, 0], v[:, :, 0]
            x = self._rest(layer, x, self._attend(q, keys[:, :, :at], values[:, :, :at], number))
        self.position = self.position + 1
        return F.rms_norm(x, self.last.shape, self.last, self.eps)[:, 0]

    def leave(self, done: int) -> None:
        """Go on without the first texts; nothing is copied."""
        self.texts -= done
        self.position = self.position[done:]
        self.keys, self.values = self.keys[:, done:], self.values[:, done:]
        if self.padding is not None:
            self.padding = self.padding[done:]

    def _read_rows(self, rows: slice, used: slice, x: Tensor, mask: Tensor) -> Tensor:
        """Read the questions of some rows; those of the others stay out of the processor's way."""
        texts, tokens = mask.shape
        position = self.position[rows, None] + (mask.cumsum(dim=1) - 1).clamp_min(0)
        cos, sin = self.cos[position][:, None], self.sin[position][:, None]
        place = torch.arange(tokens, device=x.device)
        may_see = ((place[:, None] >= place) & mask[:, None]) | (place[:, None] == place)  # padding sees itself alone
        may_see = F.pad(may_see, (self.shared[0][0].shape[1] if self.shared else 0, 0), value=True)[:, None]
        for number, layer in enumerate(self.layers):
            q, k, v = self._qkv(layer, x, cos, sin)
            self.keys[number, rows, :, used], self.values[number, rows, :, used] = k, v
            if self.shared:
                far_k, far_v = (old.expand(texts, -1, -1, -1) for old in self.shared[number])
                k, v = torch.cat([far_k, k], dim=2), torch.cat([far_v, v], dim=2)
            x = self._rest(layer, x, F.scaled_dot_product_attention(q, k, v, may_see, scale=1.0, enable_gqa=True))
        return F.rms_norm(x, self.last.shape, self.last, self.eps)

    def _attend(self, q: Tensor, keys: Tensor, values: Tensor, number: int) -> Tensor:
        """Return what one token of each text sees, [B, heads, 1, head_dim]; queries of a key's group go together."""
        q = q.reshape(self.texts, self.kv, -1, self.dim)
        scores = q @ keys.transpose(2, 3)
        if self.padding is not None:
            scores += self.padding[..., : scores.shape[-1]]
        if not self.shared:
            return (scores.softmax(dim=-1) @ values).reshape(self.texts, self.heads, 1, self.dim)
        shared_keys, shared_values = self.shared[number]
        together = q.transpose(0, 1).flatten(1, 2)  # [kv heads, B · group, head_dim]: one product for all texts
        before = (together @ shared_keys.transpose(1, 2)).unflatten(1, (self.texts, -1)).transpose(0, 1)
        weight = torch.cat([before, scores], dim=-1).softmax(dim=-1)
        far, near = weight.split([before.shape[-1], scores.shape[-1]], dim=-1)
        seen = (far.transpose(0, 1).flatten(1, 2) @ shared_values).unflatten(1, (self.texts, -1)).transpose(0, 1)
        return (seen + near @ values).reshape(self.texts, self.heads, 1, self.dim)

    def _qkv(self, layer: _Layer, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, scaled, keys and values, [B, heads or kv heads, S, head_dim]."""
        qkv = F.rms_norm(x, layer.before.shape, layer.before, self.eps) @ layer.qkv
        qkv = qkv.unflatten(-1, (-1, self.dim)).transpose(1, 2)
        turning, v = qkv.split([self.heads + self.kv, self.kv], dim=1)
        one, two = (F.rms_norm(turning, (self.dim,), None, self.eps) * layer.heads[:, None]).chunk(2, dim=-1)
        turned = torch.cat([one * cos - two * sin, two * cos + one * sin], dim=-1)
        q, k = turned.split([self.heads, self.kv], dim=1)
        return q, k, v

    def _rest(self, layer: _Layer, x: Tensor, seen: Tensor) -> Tensor:
        """Return the hidden states [B, S, hidden] after a layer, given what its attention saw."""
        x = x + seen.transpose(1, 2).flatten(2) @ layer.out
        gate, up = (F.rms_norm(x, layer.middle.shape, layer.middle, self.eps) @ layer.gate_up).chunk(2, dim=-1)
        return x + (F.silu(gate) * up) @ layer.down

    def _waves(self, tokens: int) -> tuple[Tensor, Tensor]:
        """Return cosines and sines [tokens, head_dim / 2] of the rotary embedding."""
        place = torch.arange(tokens, device=self.last.device)[None]
        cos, sin = self.rotary(self.last, place)
        return cos[0, :, : self.dim // 2], sin[0, :, : self.dim // 2]


def _columns(*linear: torch.nn.Linear) -> Tensor:
    """Return the weights of linear layers over the same inputs as one matrix [inputs, outputs], a fifth faster so."""
    return torch.cat([part.weight for part in linear]).t().contiguous()
