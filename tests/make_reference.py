"""Make anew what the documents show: what their commands print, and the files of `outputs/reference/`.

    python tests/make_reference.py [--text]

With --text only what the commands print. The Chinese documents have the same commands, and get the same outputs.
Figures in sentences and claims are changed by hand; the tests name those that are no longer so.
"""

import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
REFERENCE = CHECKOUT / "outputs" / "reference"
ENGLISH = [CHECKOUT / "README.md", *(CHECKOUT / "recipes" / f"{name}.md" for name in (
    "README", "TENSORFLOW2", "MENDING", "REFERENCE", "EXERCISES", "CLAIMS"))]
PAIRS = [(page, page.with_suffix(".zh-CN.md")) for page in ENGLISH[1:]]  # English and Chinese
DOCUMENTS = [*ENGLISH, *(chinese for _, chinese in PAIRS if chinese.exists())]
START = ".venv/bin/python recipes/"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.S | re.M)
KEPT = {  # a command of the documents: which of the files that it writes is kept under which name
    "regression.py": {f"regression.{kind}": f"regression.{kind}" for kind in ("csv", "json", "png")},
    "classification.py": {f"classification.{kind}": f"classification.{kind}" for kind in ("csv", "json", "png")},
    "regression.py --animate": {"regression.gif": "regression.gif"},
    "classification.py --animate": {"classification.gif": "classification.gif"},
    "regression.py --trace --steps 1": {"regression-graph.png": "regression-graph.png"},
    "classification.py --trace --trace-step 1040 --steps 1040 --report-every 1040":
        {"classification-graph.png": "classification-graph.png"},
    "regression.py --learning-rate 1.2 --report-every 100 --output-dir outputs/diverged":
        {"diverged/regression.png": "regression-diverged.png"},
    **{words: {f"{recipe}-comparison.{kind}": f"{recipe.rpartition('/')[2]}-{name}.{kind}" for kind in ("csv", "png")}
       for name, recipe, words in (
           ("rates", "regression", "regression.py --learning-rate 0.002 0.02 0.2 0.9 1.2 --runs 1000"),
           ("rates", "classification", "classification.py --learning-rate 0.005 0.02 0.05 0.2 1 5 --runs 1000"),
           ("optimizers", "regression", "regression.py --optimizer all --runs 1000"),
           ("optimizers", "classification", "classification.py --optimizer all --runs 1000"),
           ("same-rate", "same-rate/classification",
            "classification.py --optimizer gradient-descent momentum adagrad adadelta --learning-rate 0.05 --runs 1000 "
            "--output-dir outputs/same-rate"))},
}


def blocks(text):
    """A document's blocks of code as (language, text), in its order."""
    return BLOCK.findall(text)


def rows(text):
    """The rows of the tables in a text, each a list of its cells."""
    lines = [line for line in text.splitlines() if line.startswith("|") and not re.fullmatch(r"[| -]+", line)]
    return [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def copied_recipes(folder):
    """Put a copy of the scripts below a folder, for copies to be changed."""
    shutil.copytree(CHECKOUT / "recipes", folder / "recipes", ignore=shutil.ignore_patterns("__pycache__", "*.md"))
    (folder / "recipes").chmod(0o755)  # also in a checkout that is read-only
    (folder / "outputs").mkdir()


def saved(language, text, folder):
    """Save what a block of a document says to save: a changed copy of a script, or a program that names itself.

    Returns whether there was something.
    """
    if language == "diff":
        source, target = re.match(r"--- (\S+)\n\+\+\+ (\S+)\n", text).groups()
        program = (folder / source).read_text(encoding="utf-8")
        for old, new in re.findall(r"((?:^-(?!--).*\n)+)((?:^\+.*\n)+)", text.partition("\n+++")[2], re.M):
            old, new = (re.sub(r"^.", "", lines, flags=re.M) for lines in (old, new))
            assert program.count(old) == 1, old
            program = program.replace(old, new)
        (folder / target).write_text(program, encoding="utf-8")
    elif language == "py" and (named := re.match(r"# (outputs/\w+\.py)\n", text)):
        (folder / named[1]).write_text(text, encoding="utf-8")
    else:
        return False
    return True


def printed(block, folder):
    """What the commands of a block print on a terminal, without the notes of a TensorFlow that is loaded plainly."""
    lines = [line + (" 2> /dev/null" if " outputs/" in line.partition("recipes/")[0] else " 2>&1")
             for line in block.splitlines()]
    script = "\n".join(lines).replace(".venv/bin/python", f"'{sys.executable}'")
    return subprocess.run(["bash", "-c", script], cwd=folder, stdout=subprocess.PIPE, text=True, check=False).stdout


def smaller(png):
    """The same picture with the same texts in fewer bytes."""
    from PIL import Image, PngImagePlugin

    picture, texts, content = Image.open(io.BytesIO(png)), PngImagePlugin.PngInfo(), io.BytesIO()
    for name, text in picture.text.items():
        texts.add_text(name, text)
    picture.save(content, "PNG", optimize=True, pnginfo=texts)
    return min(png, content.getvalue(), key=len)


def keep(words, folder):
    """Put what a command has written, as far as it is kept, among the reference files."""
    for name, new_name in KEPT[words].items():
        content = (folder / "outputs" / name).read_bytes()
        REFERENCE.mkdir(parents=True, exist_ok=True)
        (REFERENCE / new_name).write_bytes(smaller(content) if name.endswith(".png") else content)


def make(text_only):
    """Run the commands of the English documents; returns what those print that show it: {block of commands: output}."""
    outputs, kept = {}, set()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        shutil.copytree(CHECKOUT / "common", folder / "common", ignore=shutil.ignore_patterns("__pycache__"))
        copied_recipes(folder)
        for page in ENGLISH:
            found = blocks(page.read_text(encoding="utf-8"))
            for (language, text), (following, _) in zip(found, [*found[1:], ("", "")], strict=True):
                words = text.strip().removeprefix(START)
                wanted = following == "text" and START in text and "python3 -m" not in text
                wanted = wanted or (following == "text" and "python outputs/" in text)
                if saved(language, text, folder) or language != "sh" or text in outputs:
                    continue
                if wanted or (words in KEPT and words not in kept and not text_only):
                    print(text, end="", flush=True)
                    shown = printed(text, folder)
                    if wanted:
                        outputs[text] = shown
                    if words in KEPT and not text_only:
                        keep(words, folder)
                        kept.add(words)
    assert text_only or kept == set(KEPT), set(KEPT) - kept
    return outputs


def write(page, outputs):
    """Put what the commands print below them."""
    def shown(match):
        return f"{match[1]}{outputs[match[2]]}```" if match[2] in outputs else match[0]

    text = page.read_text(encoding="utf-8")
    text = re.sub(r"(^```sh\n((?:(?!```).)*)```\n\n```text\n)(.*?)```", shown, text, flags=re.S | re.M)
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    outputs = make("--text" in sys.argv)
    for language, text in blocks(ENGLISH[0].read_text(encoding="utf-8")):
        if language == "sh" and "install" in text:  # it sets up, too; what it shows is the default run's
            outputs[text] = outputs[f"{START}regression.py\n"]
    for page in DOCUMENTS:
        write(page, outputs)
