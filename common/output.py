"""What a script says and leaves behind: lines, files, sentences on standard error, and an exit status."""

import contextlib
import errno
import hashlib
import json
import os
import shlex
import sys
from importlib import metadata

from common import files


class Output:
    """Writes what one start of a script leaves behind into the folder of the flags `args`.

    files   the paths of what was written
    status  the exit status: 0 if all went well
    """

    def __init__(self, recipe, args):
        self.recipe, self.args, self.files, self.status = recipe, args, [], 0
        for folder, flag, status in ((args.output_dir, "--output-dir", 1), (args.tensorboard, "--tensorboard", 2)):
            try:
                if folder:
                    files.make_folder(folder)
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or "that is no name for a folder"
                self.failed(f"cannot write in the folder '{folder}' ({reason}): name another one with {flag}")
                raise SystemExit(status) from None

    def print(self, *lines):
        """Print lines; where standard output is gone, that costs no file."""
        try:
            print(*map(as_letters, lines), sep="\n")
        except OSError as error:
            self.gone(error)

    def gone(self, error):
        """Go on without standard output, which is closed or full; the script ends as if by SIGPIPE or with a sentence."""
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            self.status = self.status or 128 + 13
        else:
            self.failed(f"cannot write to standard output ({error.strerror})")

    def failed(self, sentence, status=1):
        """Say in a sentence on standard error what went wrong."""
        self.status = self.status or status
        if sys.stderr:
            with contextlib.suppress(OSError, ValueError):
                print(as_letters(f"{self.recipe.name}.py: {sentence}."), file=sys.stderr, flush=True)

    def save(self, ending, write):
        """Have `write(file)` write the file that is called like the script and ends so."""
        path = self.args.output_dir / f"{self.recipe.name}{ending}"
        try:
            files.save(path, write)
            self.files.append(path)
        except OSError as error:
            kept = getattr(error, "kept", None)
            rest = f"it is kept as '{files.shown(kept)}'" if kept else "what was there before is as it was"
            self.failed(f"cannot write '{files.shown(path)}' ({error.strerror or error}); {rest}")

    def record(self, ending, result):
        """Save what made a result, and the result, a dict, as JSON."""
        args = self.args
        flags = {key: getattr(args, key) for key in ("seed", "steps", "report_every", "runs")}
        flags["rows"] = [{"optimizer": optimizer, "learning_rate": rate} for optimizer, rate in args.rows]
        script = {"sha256": hashlib.sha256(self.recipe.path.read_bytes()).hexdigest()}
        record = {"command": self.command(), "script": script, "flags": flags, "result": result, "versions": versions()}
        self.save(ending, lambda file: file.write((json.dumps(record, indent=1) + "\n").encode()))

    def command(self):
        """The command line that repeats this run from here."""
        return as_letters(shlex.join(["python", str(files.shown(self.recipe.path)), *self.args.words]))

    def end(self):
        """Name the files that were written, and show pictures below a notebook's cell."""
        if self.files:
            self.print(*(f"Wrote {files.shown(path)}" for path in self.files))
        ipython = sys.modules.get("IPython")
        if ipython and hasattr(ipython.get_ipython(), "kernel"):
            from IPython.display import Image, display

            for path in self.files:
                if path.suffix in (".png", ".gif"):
                    display(Image(filename=str(path)))


@contextlib.contextmanager
def lines_at_once():
    """Have standard output show each line as it comes, and no letter too many for it, where it can be told so."""
    stream, before = sys.stdout, None
    with contextlib.suppress(OSError, ValueError, AttributeError):  # an IDE's or a notebook's, a closed one or none
        before = {"line_buffering": stream.line_buffering, "errors": stream.errors}
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError, AttributeError, TypeError):
            stream.reconfigure(**before)


def as_letters(text):
    """The text with what is no letter, as in a name that is not UTF-8, spelled out."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def versions():
    """The versions that decide the numbers and the pictures."""
    found = {"Python": sys.version.split()[0]}
    for name in ("TensorFlow", "numpy", "matplotlib"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name.lower())
    return found
