"""Files written whole or not at all."""

import contextlib
import os
import time
from pathlib import Path


def make_folder(folder):
    """Make the folder where it is missing, and see that a file can be made in it; OSError or ValueError says why not."""
    folder.mkdir(parents=True, exist_ok=True)
    probe = _unfinished(folder / "probe")
    probe.touch()
    probe.unlink()


def save(path, write):
    """Have `write(file)` write a file, open for bytes, that appears at `path` whole or not at all.

    OSError says why not. Where another program keeps the place (on Windows, a log that is open in a spreadsheet), the
    error's `kept` is the path of the whole file beside it.
    """
    path = path.resolve()  # where a link leads to
    if path.exists() and not path.is_file():
        raise OSError(0, "that is no file")
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.name[:100]}.*.tmp"):  # by a run that was killed
        if time.time() - left.stat().st_mtime > 60:
            left.unlink(missing_ok=True)
    whole, kept = _unfinished(path), False
    try:
        with open(whole, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        kept = True
        os.replace(whole, path)
    except PermissionError as error:
        error.kept = whole if kept else None
        raise
    except BaseException:
        kept = False
        raise
    finally:
        if not kept:
            with contextlib.suppress(OSError):
                whole.unlink(missing_ok=True)


def shown(path):
    """The path as the user would type it here: relative if it lies below the working folder."""
    try:
        return Path(path).resolve().relative_to(Path.cwd())
    except (ValueError, OSError):
        return Path(path)


def _unfinished(path):
    """A name nobody else uses, in the same folder, for what is not whole yet; short where the name itself is long."""
    return path.with_name(f".{path.name[:100]}.{os.urandom(4).hex()}.tmp")
