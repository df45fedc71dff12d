"""The pictures, a module each: plain numbers in, a file's bytes out; their style; the process that draws them."""
