"""Give the anchor head a first idea of how far a pattern goes, before the transformer is trained (ours).

Where a road lies against where a car at its mean speed would be says most about an anchor. A small network sees that in
seconds, while the transformer, which learns all else from the same steps, takes thousands of them to trust it; until
then anchors are drawn far too widely, and all speeds with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from htp.language.language import Language
    from htp.language.train import QuestionsAndAnswers

STEPS, BATCH, LEARNING_RATE = 150, 64, 1e-2


def begin_anchors(language: Language, pairs: QuestionsAndAnswers, seed: int) -> float:
    """Train what the anchor head makes of distances alone; return the last loss, in nats an anchor."""
    model = language.model
    device = next(model.progress.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.progress.parameters(), lr=LEARNING_RATE)
    loss = torch.zeros(())
    for step in range(STEPS):
        chosen = [pairs[row] for row in torch.randint(len(pairs), (BATCH,), generator=generator).tolist()]
        asked = language.collate([question for question, _ in chosen], [answer for _, answer in chosen]).to(device)
        logits = model.anchor_distances(asked, asked.before, asked.number)
        loss = F.cross_entropy(logits[asked.real], asked.anchors[asked.real])
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * (1 - step / STEPS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return float(loss.detach())
