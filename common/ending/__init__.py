"""What comes around the training and after it: signals, the recipe's graph as a function of `A`, files, the end."""
