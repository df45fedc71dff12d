"""What a run or a comparison leaves behind: each file and picture is written, or one sentence says why not."""

import contextlib
import functools
import json
import shlex
import sys

from common.ending import files, surroundings


class Output:
    """Writes the files of one start of a script into its output folder.

    paths   of the files that were written
    status  0, or the exit status that something asks for that went wrong
    """

    def __init__(self, args):
        self.args, self.paths, self.status, self._broken = args, [], 0, None
        for folder, flag, status in ((args.output_dir, "--output-dir", 1), (args.tensorboard, "--tensorboard", 2)):
            try:
                if folder:
                    files.make_folder(folder)
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or "that is no name for a folder"
                surroundings.say(f"{args.name}.py: cannot write in the folder '{folder}' ({reason}): name another one "
                                 f"with {flag}.")
                raise SystemExit(status) from None

    def save(self, ending, write):
        """Have `write(file)` write the file that is called like the recipe and ends so; one sentence if that fails."""
        path = self.args.output_dir / f"{self.args.name}{ending}"
        try:
            files.save(path, write)
        except files.CannotWrite as error:
            self.failed(error)
        else:
            self.paths.append(path)

    def draw(self, ending, artist, picture, numbers, meanwhile=None, progress=None):
        """Have `artist`, a `Drawing`, draw a picture and save it; `meanwhile()` is called while it draws."""
        from common.pictures.process import CannotDraw

        made_by = {"Title": numbers["title"], "Description": self.command()}
        artist.ask(picture, {**made_by, "Source": ", ".join(map(" ".join, versions().items()))}, numbers)
        if meanwhile:
            meanwhile()
        try:
            content = artist.answer(progress)
        except CannotDraw as error:
            self.failed(f"the picture cannot be drawn ({error}); --no-figure leaves it out")
        else:
            self.save(ending, lambda file: file.write(content))

    def record(self, ending, numbers):
        """Save what made the result, and `numbers`, a dict of what came out, as JSON."""
        args = self.args
        flags = {key: getattr(args, key) for key in ("seed", "steps", "report_every", "runs")}
        flags["rows"] = [{"optimizer": optimizer, "learning_rate": rate} for optimizer, rate in args.rows]
        record = {"command": self.command(), "flags": flags, "result": numbers, "versions": versions()}
        self.save(ending, lambda file: file.write((json.dumps(record, indent=1) + "\n").encode()))

    def command(self):
        """The command line, as far as letters go."""
        return surroundings.letters(shlex.join([f"{self.args.name}.py", *map(str, self.args.words)]))

    def print(self, *lines):
        """Print lines; where standard output is gone, that costs no file."""
        try:
            for line in lines:
                print(surroundings.letters(line))
        except OSError as error:
            self.print_failed(error)

    def print_failed(self, error):
        """Standard output is gone or full: go on without it."""
        self._broken = self._broken or error

    def failed(self, sentence, status=1):
        surroundings.say(f"{self.args.name}.py: {sentence}.")
        self.status = self.status or status

    def end(self):
        """Name the files that were written; returns the exit status."""
        self.print(*(f"Wrote {files.shown(path)}" for path in self.paths))
        if self._broken:
            status = surroundings.output_failed(self._broken)
            self.status = self.status or status
        return self.status


@functools.cache
def versions():
    """The versions that decide the numbers and the pictures."""
    from importlib import metadata  # which TensorFlow has loaded by now

    found = {"Python": sys.version.split()[0]}
    for name, package in (("TensorFlow", "tensorflow"), ("numpy", "numpy"), ("matplotlib", "matplotlib")):
        loaded = sys.modules.get(package)
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = loaded.__version__ if loaded else metadata.version(package)
    return found
