"""Files written whole or not at all, and the one sentence where that cannot be."""

import contextlib
import os
from pathlib import Path


class CannotWrite(Exception):
    """A file could not be written: a sentence that names it and says what became of it, without a full stop."""


def make_folder(folder):
    """Make the folder where it is missing and see that a file can be made in it; OSError says why not."""
    folder.mkdir(parents=True, exist_ok=True)
    probe = _beside(folder / "probe")
    probe.touch()
    probe.unlink()


def save(path, write):
    """Have `write(file)` write a file, open for bytes, that appears at `path` whole or not at all.

    Its folder is made again where it is gone. Where another program keeps the place (on Windows, a log that is open
    elsewhere), the whole file stays beside it. Raises `CannotWrite`.
    """
    whole, kept = _beside(path), False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(whole, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        kept = True
        os.replace(whole, path)
    except OSError as error:
        kept = kept and isinstance(error, PermissionError) and not path.is_dir()
        rest = f"it is kept as '{shown(whole)}'" if kept else "what was there before is as it was"
        raise CannotWrite(f"cannot write '{shown(path)}' ({error.strerror or error}); {rest}") from None
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
        return path


def _beside(path):
    """A name nobody else uses, in the same folder, for what is not whole yet; short where the name itself is long."""
    return path.with_name(f".{path.name[:100]}.{os.urandom(4).hex()}.tmp")
