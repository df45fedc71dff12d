"""Beyond the page: optimizers and learning rates compared over many runs, compiled."""
