"""Make anew what the documents show: the logs, tables and pictures of `outputs/reference/`, and the printed output.

    python tests/make_reference.py [--text]

With --text only the printed output. Only `tensorboard.png`, a picture of a browser window, is made by hand.
"""

import contextlib
import functools
import importlib.util
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
PAIRS = [(CHECKOUT / "recipes" / f"{name}.md", CHECKOUT / "recipes" / f"{name}.zh-CN.md")
         for name in ("README", "EXERCISES", "CLAIMS")]  # English and Chinese
# The Chinese texts count as soon as there is one for each of the English.
LANGUAGES = 2 if all(chinese.exists() for _, chinese in PAIRS) else 1
DOCUMENTS = [CHECKOUT / "README.md", *(page for pair in PAIRS for page in pair[:LANGUAGES])]
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


@contextlib.contextmanager
def elsewhere():
    """A folder of its own that takes the place of the checkout's root: the recipes' files go below it."""
    folder, before = Path(tempfile.mkdtemp(dir=scratch().name)).resolve(), Path.cwd()
    os.chdir(folder)
    try:
        with mock.patch.object(options, "CHECKOUT", folder):
            yield folder
    finally:
        os.chdir(before)


@functools.cache
def _made(command, draw):
    recipe, *words = shlex.split(command)[1:]
    printed, undrawn = io.StringIO(), Undrawn()
    drawing = contextlib.nullcontext() if draw else mock.patch("common.pictures.process.Drawing", undrawn)
    with elsewhere() as folder, contextlib.redirect_stdout(printed), drawing:
        result = {"regression": regression, "classification": classification}[Path(recipe).stem].main(words)
    pictures = [path.name for path in result.files if path.suffix in (".png", ".gif")]
    return Made(printed.getvalue(), folder, dict(zip(pictures, undrawn.asked, strict=False)))


def made(command, draw=False):
    """Start a recipe in this process, in a folder of its own, as the document's command line does; once each.

    The pictures are drawn only if `draw` says so.
    """
    return _made(command, draw)


def recipe_in(path):
    """The recipe that the script at this path defines."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@functools.cache
def output_of(block):
    """What a block of commands prints.

    One start of a recipe is cached. In a longer block its Python runs in this process and anything else, as `sed`, in a
    shell, all in one folder with a copy of the scripts.
    """
    if RECIPE.fullmatch(block):
        return made(block).printed
    printed = io.StringIO()
    with elsewhere() as folder, contextlib.redirect_stdout(printed):
        shutil.copytree(CHECKOUT / "recipes", folder / "recipes", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "recipes").chmod(0o755)  # also in a checkout that is read-only
        for command in re.findall(r"[^\n]*<<'END'\n.*?\nEND$|[^\n]+", block, re.S | re.M):
            if program := re.fullmatch(r"\.venv/bin/python - <<'END'\n(.*)\nEND", command, re.S):
                exec(program[1], {})
            elif command.startswith(START):
                _, script, *words = shlex.split(command)
                recipe_in(folder / script)(words)
            else:
                print(subprocess.check_output(["bash", "-euc", command], text=True), end="")
    return printed.getvalue()


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
