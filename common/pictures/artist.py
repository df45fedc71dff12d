"""The artist: a second process that draws, and loads matplotlib while the script's own loads TensorFlow."""

import contextlib
import importlib
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

from common.pictures import style


class Artist:
    """Draws pictures, one after the other."""

    def __init__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from common.pictures.artist import serve; serve()"], cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0))  # no Ctrl-C

    def draw(self, about, pictures):
        """Yield the ending of each picture's file and its bytes, or a str that says why there are none.

        `about`, {name: text}, for the files' metadata; `pictures`, {ending: (the picture's module, its numbers)}.
        """
        for ending, (module, numbers) in pictures.items():
            try:
                pickle.dump((module, {**about, "Title": numbers["title"]}, numbers), self._process.stdin)
                self._process.stdin.flush()
                drawn = pickle.load(self._process.stdout)
            except Exception:  # what is no answer can raise anything
                self._process.kill()  # whatever it may still be about to say
                drawn = "its process was stopped"
            yield ending, drawn

    def close(self):
        self._process.kill()
        self._process.communicate()


def serve():
    """What the process does: it loads matplotlib, then draws each picture that it is sent."""
    warnings.simplefilter("ignore")
    sys.stdout, answer = sys.stderr, sys.stdout.buffer  # what else is printed must not get between the pictures
    with contextlib.suppress(Exception):  # the first picture says what it is
        style.png(style.new_figure(100, 100), {})  # loads what matplotlib itself loads only when it draws
    with contextlib.suppress(EOFError):  # the script is gone
        while True:
            module, about, numbers = pickle.load(sys.stdin.buffer)
            try:
                drawn = importlib.import_module(f"common.pictures.{module}").draw(SimpleNamespace(**numbers), about)
            except Exception as error:
                drawn = f"{type(error).__name__}: {error}"
            pickle.dump(drawn, answer)
            answer.flush()
