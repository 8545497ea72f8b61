"""Turn raw trips into prepared trips: sources → clean → match → label → split."""
