"""A recipe's graph: what is what in it, parts of it computed again, and the loss as a function of `A`."""
