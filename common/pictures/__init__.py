"""The pictures: a module each with `draw(n, about)` -> a file's bytes; their numbers, style and process."""
