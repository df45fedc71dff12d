"""What the documents show is so: every command runs, every output is what it prints, every link leads somewhere."""

import re
import subprocess

import numpy as np
import pytest
from conftest import CHECKOUT, run
from make_reference import DOCUMENTS, RUNS, SHOWN, make_files, output_of

PAGES = [*DOCUMENTS, CHECKOUT / "recipes/CLAIMS.md", CHECKOUT / "tests/golden/README.md",
         CHECKOUT / "tests/benchmarks/README.md"]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
COMMANDS = {command: shown for document in DOCUMENTS for command, shown in SHOWN.findall(TEXTS[document])}
# Commands within a sentence or a table, which show no output.
NAMED = sorted({command for document in DOCUMENTS
                for command in re.findall(r"`(?:\.venv/bin/python )?(recipes/\w+\.py[^`]*)`", TEXTS[document])})
# The set-up lines are run by .ci/run, these by whoever follows the document: tests, recordings, benchmarks, clean-up.
OTHERS = ("python3 -m venv", ".venv/bin/python -m pytest", ".venv/bin/python tests/", ".venv/bin/ruff", "tensorboard ",
          ".venv/bin/pip")


def same_text(ours, theirs):
    """The same words, and numbers that agree as far as float32 does on another processor: to one in the last digit."""
    number = re.compile(r"-?\d+\.\d+(?:e[+-]\d+)?")
    if number.sub("#", ours).split() != number.sub("#", theirs).split():
        return False
    for a, b in zip(number.findall(ours), number.findall(theirs), strict=True):
        last_digit = 10.0 ** -len(b.partition(".")[2].partition("e")[0])
        if abs(float(a) - float(b)) > max(1e-5 * abs(float(b)), 1.01 * last_digit):
            return False
    return True


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_prints_what_the_documents_show(command):
    assert same_text(output_of(command), COMMANDS[command])


def test_both_languages_show_the_same_commands_and_outputs():
    english, chinese = (SHOWN.findall(TEXTS[document]) for document in DOCUMENTS[1:])
    assert english == chinese
    assert len(english) >= 7


@pytest.mark.parametrize("command", NAMED)
def test_a_command_named_in_a_sentence_runs(command, tmp_path):
    recipe, *flags = command.split()
    done = run(recipe.removeprefix("recipes/").removesuffix(".py"), *flags, "--no-figure", "--output-dir", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_line_of_the_documents_is_one_of_these():
    for page, text in TEXTS.items():
        for block in re.findall(r"```sh\n(.*?)```", text, re.S):
            for line in block.splitlines():
                assert line in COMMANDS or line.startswith(OTHERS), f"{page.name}: {line}"


@pytest.mark.parametrize("document", DOCUMENTS[1:], ids=lambda path: path.name)
def test_the_lines_of_code_in_a_walkthrough_stand_in_the_scripts(document):
    scripts = [(CHECKOUT / "recipes" / f"{name}.py").read_text() for name in ("regression", "classification")]
    snippets = re.findall(r"```py\n(.*?)```", TEXTS[document], re.S)
    assert len(snippets) >= 8
    for snippet in snippets:
        lines = snippet.splitlines(keepends=True)
        assert any(snippet in script for script in scripts) or all(
            any(line in script.splitlines(keepends=True) for line in lines) for script in scripts[:1]), snippet


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_relative_link_and_picture_exists(page):
    prose = re.sub(r"```.*?```", "", TEXTS[page], flags=re.S)
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", prose):
        if "://" not in link:
            assert (page.parent / link).exists(), link


def size(png):
    """Width and height of a PNG in pixels."""
    return np.frombuffer(png.read_bytes()[16:24], ">u4").astype(int)


def test_the_tracked_tables_are_what_the_commands_give_today(tmp_path):
    make_files(tmp_path)
    for _, _, files in RUNS:
        for name in files.values():
            ours, tracked = tmp_path / name, CHECKOUT / "outputs" / "reference" / name
            assert tracked.exists()
            if name.endswith(".png"):  # the same width and height, which versions of matplotlib round differently
                assert np.max(np.abs(size(ours) - size(tracked))) <= 1
            else:
                for our_row, row in zip(ours.read_text().splitlines(), tracked.read_text().splitlines(), strict=True):
                    for our_cell, cell in zip(our_row.split(","), row.split(","), strict=True):
                        assert our_cell == cell or np.isclose(float(our_cell), float(cell), rtol=1e-5, atol=1e-5)


def test_the_tracked_files_stay_under_2_mib():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
    else:  # an unpacked archive
        names = [path.relative_to(CHECKOUT) for room in ("recipes", "common", "tests", "outputs/reference")
                 for path in (CHECKOUT / room).rglob("*.*") if "__pycache__" not in path.parts]
    assert sum((CHECKOUT / name).stat().st_size for name in names) < 2 * 2**20
