"""The pictures: a module each, plain numbers in and a matplotlib figure out; their style; the process that draws them."""
