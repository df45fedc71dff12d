"""Make anew what the documents show: the logs, tables and pictures of `outputs/reference/`, and the printed output.

    python tests/make_reference.py [--text]

With --text only the printed output. Only `tensorboard.png`, a picture of a browser window, is made by hand.
"""

import contextlib
import functools
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from unittest import mock

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(CHECKOUT), str(CHECKOUT / "recipes")]

import classification  # noqa: E402
import regression  # noqa: E402

from common import options  # noqa: E402

REFERENCE = CHECKOUT / "outputs" / "reference"
# English and Chinese; the Chinese ones may not be there yet.
PAIRS = [(CHECKOUT / "recipes" / f"{name}.md", CHECKOUT / "recipes" / f"{name}.zh-CN.md")
         for name in ("README", "EXERCISES", "CLAIMS")]
DOCUMENTS = [CHECKOUT / "README.md", *(page for pair in PAIRS for page in pair if page.exists())]
# A block of commands and its output, as the documents show them.
SHOWN = re.compile(r"```sh\n((?:(?!```).)*)\n```\n\n```text\n(.*?)```", re.S)
# One start of a recipe that ships with the project; anything else is run by a shell.
RECIPE = re.compile(r"\.venv/bin/python recipes/(regression|classification)\.py[^\n|<>;&]*")
START = ".venv/bin/python recipes/"
RUNS = [  # a command, and which of the files that it writes is kept under which name
    ("regression.py", {f"regression.{kind}": f"regression.{kind}" for kind in ("csv", "json", "png")}),
    ("classification.py", {f"classification.{kind}": f"classification.{kind}" for kind in ("csv", "json", "png")}),
    *((words, {f"{recipe}-comparison.{kind}": f"{recipe}-{name}.{kind}" for kind in ("csv", "png")})
      for name, recipe, words in (
          ("rates", "regression", "regression.py --learning-rate 0.002 0.02 0.2 0.9 1.2 --runs 1000"),
          ("rates", "classification", "classification.py --learning-rate 0.005 0.02 0.05 0.2 1 5 --runs 1000"),
          ("optimizers", "regression", "regression.py --optimizer all --runs 1000"),
          ("optimizers", "classification", "classification.py --optimizer all --runs 1000"),
          ("same-rate", "classification", "classification.py --optimizer gradient-descent momentum adagrad adadelta "
                                          "--learning-rate 0.05 --runs 1000"))),
    ("regression.py --trace --steps 1", {"regression-graph.png": "regression-graph.png"}),
    ("classification.py --trace --trace-step 1265 --steps 1265 --report-every 1265",
     {"classification-graph.png": "classification-graph.png"}),
    ("regression.py --animate", {"regression.gif": "regression.gif"}),
    ("classification.py --animate", {"classification.gif": "classification.gif"}),
]


class Made(NamedTuple):
    """What a command printed, the folder that it was started in, and the pictures that it asked for by file name."""

    printed: str
    folder: Path
    pictures: dict


@functools.cache
def scratch():
    return tempfile.TemporaryDirectory()


class Undrawn:
    """Stands in for the process that draws: keeps what it is asked for, and leaves an empty file in its place."""

    def __init__(self):
        self.asked = []

    def __call__(self):
        return self

    def ask(self, *request):
        self.asked.append(request)

    def answer(self, progress=None):
        return b""

    def close(self):
        pass


@functools.cache
def made(command, draw=False):
    """Start a recipe in this process, in a folder of its own, as the document's command line does; once each.

    The pictures are drawn only if `draw` says so.
    """
    recipe, *words = shlex.split(command)[1:]
    folder = Path(tempfile.mkdtemp(dir=scratch().name)).resolve()
    printed, before, undrawn = io.StringIO(), Path.cwd(), Undrawn()
    os.chdir(folder)
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(mock.patch.object(options, "CHECKOUT", folder))
            stack.enter_context(contextlib.redirect_stdout(printed))
            if not draw:
                stack.enter_context(mock.patch("common.pictures.process.Drawing", undrawn))
            result = {"regression": regression, "classification": classification}[Path(recipe).stem].main(words)
    finally:
        os.chdir(before)
    pictures = [path.name for path in result.files if path.suffix in (".png", ".gif")]
    return Made(printed.getvalue(), folder, dict(zip(pictures, undrawn.asked, strict=False)))


@functools.cache
def copied():
    """A checkout of its own, with recipes and `common`, whose .venv/bin/python is this Python."""
    folder = Path(tempfile.mkdtemp(dir=scratch().name)).resolve()
    for room in ("recipes", "common"):
        shutil.copytree(CHECKOUT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="ascii")
    python.chmod(0o755)
    return folder


@functools.cache
def output_of(block, draw=False):
    """What a block of commands prints: one start of a recipe in this process, anything else in a shell."""
    if RECIPE.fullmatch(block):
        return made(block, draw).printed
    done = subprocess.run(["bash", "-euc", block], cwd=copied(), capture_output=True, text=True, encoding="utf-8")
    if done.returncode or done.stderr:
        raise RuntimeError(f"{block}\n{done.stderr}")
    return done.stdout


def smaller(png):
    """The same picture with the same texts in fewer bytes."""
    from PIL import Image, PngImagePlugin

    picture, texts, content = Image.open(io.BytesIO(png)), PngImagePlugin.PngInfo(), io.BytesIO()
    for name, text in picture.text.items():
        texts.add_text(name, text)
    picture.convert("RGB").save(content, "PNG", optimize=True, pnginfo=texts)
    return min(png, content.getvalue(), key=len)


def make_files(folder):
    """Make the files of `RUNS` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for words, kept in RUNS:
        outputs = made(f"{START}{words}", draw=True).folder / "outputs"
        for name, new_name in kept.items():
            content = (outputs / name).read_bytes()
            (folder / new_name).write_bytes(smaller(content) if name.endswith(".png") else content)


def write_outputs(document):
    """Put what the commands of a document print today below them."""
    text = document.read_text(encoding="utf-8")
    for block, shown in SHOWN.findall(text):
        start = f"{block}\n```\n\n```text\n"
        text = text.replace(f"{start}{shown}```", f"{start}{output_of(block)}```")
    document.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if "--text" not in sys.argv:
        make_files(REFERENCE)
    for document in DOCUMENTS:
        write_outputs(document)
