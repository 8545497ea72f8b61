"""Quantize segment embeddings layer by layer into codes (paper §4.1, equations 3 to 5 and 9).

The codebooks start from k-means, follow moving averages of what they stand for, and codes that die are revived
(vector-quantize-pytorch). What a layer passes on is its input minus the *detached* quantized vector, so that the
commitment term of every layer reaches the encoder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from vector_quantize_pytorch import ResidualVQ

if TYPE_CHECKING:
    from htp.config import TokenizerConfig

DEAD_BELOW = 1.0  # a code whose moving count of uses per batch falls below this is revived, ours


class Quantizer(nn.Module):
    """Residual quantization of d_e-dimensional pattern embeddings with L codebooks of their own sizes."""

    def __init__(self, config: TokenizerConfig) -> None:
        super().__init__()
        self.project_in = nn.Linear(config.dims[-1], config.quantizer_dim)  # equation 2
        self.project_out = nn.Linear(config.quantizer_dim, config.dims[-1])  # equation 5
        self.residual = ResidualVQ(
            dim=config.quantizer_dim,
            codebook_size=tuple(config.codebook_sizes),
            kmeans_init=True,
            kmeans_iters=20,
            decay=0.98,
            threshold_ema_dead_code=DEAD_BELOW,
            commitment_weight=config.commitment,
        )

    def forward(self, h: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Quantize [B, P, d_e]; return the quantized embeddings [B, P, d_e], codes [B, P, L] and the loss of eq. 9."""
        vectors = self.project_in(h[mask]).float()[None]  # only real patterns, [1, N, d_q]
        quantized, codes, losses = self.residual(vectors)
        out = torch.zeros_like(h, dtype=torch.float32)
        out[mask] = self.project_out(quantized[0]).float()
        all_codes = torch.zeros((*mask.shape, codes.shape[-1]), dtype=torch.long, device=h.device)
        all_codes[mask] = codes[0]
        return out, all_codes, losses.mean()

    def look_up(self, codes: Tensor) -> Tensor:
        """Return the quantized embeddings [B, P, d_e] of codes [B, P, L]."""
        total = sum(book[codes[..., layer]] for layer, book in enumerate(self.residual.codebooks))
        return self.project_out(total)
