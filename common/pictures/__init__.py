"""The pictures: a module each with `draw(numbers)` -> the bytes of a file; their numbers and style; the process that draws."""
