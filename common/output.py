"""What a script says and leaves behind: lines, sentences on standard error, whole files, and an exit status."""

import contextlib
import errno
import hashlib
import json
import os
import shlex
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from common import signals


class Output:
    """Writes what one start of a script leaves behind into the folder of the flags `args`.

    files   the paths of what was written
    status  the exit status: 0 if all went well
    """

    def __init__(self, recipe, args):
        self.recipe, self.args, self.files, self.status = recipe, args, [], 0
        self._artist, self._sha256, self._said = None, None, set()
        with contextlib.suppress(OSError):  # a notebook's cell is no file
            self._sha256 = hashlib.sha256(recipe.path.read_bytes()).hexdigest()
        for flag, folder in (("--output-dir", args.output_dir), ("--tensorboard", args.tensorboard)):
            try:
                if folder:
                    folder.mkdir(parents=True, exist_ok=True)
                    tempfile.TemporaryFile(dir=folder).close()
            except (OSError, ValueError) as error:
                self.failed(f"cannot write in the folder '{folder}' ({reason(error)}): name another one with {flag}", 2)
                raise SystemExit(2) from None
        if args.figure:
            from common.pictures.artist import Artist

            self._artist = Artist()

    def print(self, *lines):
        """Print lines; where standard output is gone, that costs no file."""
        try:
            print(*lines, sep="\n")
        except OSError as error:
            self.lost(error)

    def lost(self, error):
        """Go on without standard output, which is closed or full, to end as if by SIGPIPE or with a sentence."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            self.status = self.status or 128 + 13
        else:
            self.failed(f"cannot write to standard output ({reason(error)})")

    def failed(self, sentence, status=1):
        """Say in a sentence on standard error, once, what went wrong."""
        self.status = self.status or status
        if sentence not in self._said:
            self._said.add(sentence)
            with contextlib.suppress(OSError, ValueError, AttributeError):  # there may be none
                sys.stderr.write(f"{self.recipe.path.name}: {sentence}.\n")

    def save(self, ending, write):
        """Have `write(file)` write the file that is called like the script and ends so."""
        path = self.args.output_dir / f"{self.recipe.path.stem}{ending}"
        try:
            save(path, write)
            self.files.append(path)
        except OSError as error:
            self.failed(f"cannot write '{shown(path)}' ({reason(error)}); what was there before is as it was")

    def record(self, ending, result):
        """Save what made a result, and the result, a dict, as JSON."""
        flags = {key: getattr(self.args, key) for key in ("seed", "steps", "report_every", "runs")}
        flags["rows"] = [{"optimizer": optimizer, "learning_rate": rate} for optimizer, rate in self.args.rows]
        record = {"command": self.command(), "script": {"sha256": self._sha256}, "flags": flags, "result": result,
                  "versions": versions()}
        self.save(ending, lambda file: file.write(json.dumps(record, indent=1, default=float) + "\n"))

    def command(self):
        """The command line that repeats this run from here; bytes of a name that are no letters are spelled out."""
        words = shlex.join(["python", str(shown(self.recipe.path)), *self.args.words])
        return words.encode("utf-8", "backslashreplace").decode()

    def draw(self, pictures):
        """Have pictures drawn, and save them: {ending: (the name of its module, the numbers that it draws)}."""
        about = {"Description": self.command(), "Source": ", ".join(map(" ".join, versions().items()))}
        for ending, drawn in self._artist.draw(about, pictures):
            if isinstance(drawn, str):
                self.failed(f"the picture cannot be drawn ({drawn}); --no-figure leaves it out")
            else:
                self.save(ending, lambda file, drawn=drawn: file.buffer.write(drawn))

    @signals.held()
    def close(self):
        """Name the files that were written, and show pictures below a notebook's cell; nothing more can be drawn."""
        if self._artist:
            self._artist.close()
        if self.files:
            self.print(*(f"Wrote {shown(path)}" for path in self.files))
        ipython = sys.modules.get("IPython")
        if ipython and hasattr(ipython.get_ipython(), "kernel"):
            from IPython.display import Image, display

            display(*(Image(filename=str(path)) for path in self.files if path.suffix in (".png", ".gif")))


def save(path, write):
    """Have `write(file)` write a file, open for text, that appears whole or not at all; OSError says why not."""
    path = Path(os.path.realpath(path))  # where a link leads to
    if path.exists() and not path.is_file():
        raise OSError(errno.EEXIST, "that is no file")
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name[:50]}.{os.urandom(4).hex()}.tmp")
    try:
        with open(whole, "x", encoding="utf-8", newline="") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(whole, path)
    finally:
        whole.unlink(missing_ok=True)


def shown(path):
    """The path as the user would type it here: relative if it lies below the working folder."""
    with contextlib.suppress(ValueError, OSError):
        return Path(os.path.realpath(path)).relative_to(Path.cwd())
    return path


def reason(error):
    """Why a file or folder cannot be written, in the system's words."""
    return getattr(error, "strerror", None) or error


def versions():
    """The versions that decide the numbers and the pictures."""
    found = {"Python": sys.version.split()[0]}
    for name in ("TensorFlow", "numpy", "matplotlib"):
        loaded = sys.modules.get(name.lower())
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = loaded.__version__ if loaded else metadata.version(name)
    return found
