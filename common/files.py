"""Files written whole or not at all."""

import contextlib
import errno
import os
import time
from pathlib import Path


def save(path, write):
    """Have `write(file)` write a file, open for bytes, that appears whole or not at all; OSError says why not."""
    path = Path(os.path.realpath(path))  # where a link leads to
    if path.exists() and not path.is_file():
        raise OSError(errno.EEXIST, "that is no file")
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = f".{path.name[:50]}."  # how the names of files begin that are not whole yet
    for left in path.parent.glob(f"{begun}*.tmp"):  # by a run that was killed
        if time.time() - left.stat().st_mtime > 60:
            left.unlink(missing_ok=True)
    whole = path.with_name(f"{begun}{os.urandom(4).hex()}.tmp")
    try:
        with open(whole, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(whole, path)
    finally:
        with contextlib.suppress(OSError):
            whole.unlink(missing_ok=True)


def shown(path):
    """The path as the user would type it here: relative if it lies below the working folder."""
    with contextlib.suppress(ValueError, OSError):
        return Path(os.path.realpath(path)).relative_to(Path.cwd())
    return path


def reason(error):
    """Why a file or folder cannot be written, in the system's words."""
    return getattr(error, "strerror", None) or error
