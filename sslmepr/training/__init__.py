"""The three training stages: batches, losses, balancing, pseudo-labels, checkpoints."""
