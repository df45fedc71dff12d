"""What the documents show is so: every command runs, every output is what it prints, every link leads somewhere."""

import contextlib
import csv
import io
import json
import re
import runpy
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import make_reference as reference
import numpy as np
import pytest
from conftest import CHECKOUT, SCRIPTS, scratch, without_curves
from make_reference import DOCUMENTS, ENGLISH, KEPT, PAIRS, REFERENCE, START, blocks, rows
from test_statements import TRAINED

from common import flags

README, WALKTHROUGH, _, _, MANUAL, EXERCISES, _ = ENGLISH
PAGES = [*DOCUMENTS, *sorted((CHECKOUT / "tests").rglob("*.md"))]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
PROSE = {page: re.sub(r"^```.*?^```", "", text, flags=re.S | re.M) for page, text in TEXTS.items()}
RECIPE = re.compile(r"\.venv/bin/python (-i )?recipes/(\w+)\.py[^\n|<>;&]*")
RAN = {}  # what `ran` returned
SHELL = sorted({text for page in PAGES for language, text in blocks(TEXTS[page]) if language == "sh"})
SHOWN = {text: output for page in DOCUMENTS for text, output in re.findall(
    r"^```sh\n((?:(?!```).)*)```\n\n```text\n(.*?)```", TEXTS[page], re.S | re.M)
         if "outputs/two" not in text}  # the programs in TensorFlow 2 run in test_own_copies.py
NAMED = sorted({command for page in DOCUMENTS
                for command in re.findall(r"`([^`\n]*recipes/\w+\.py [^`\n]*)`", PROSE[page])})
# How any other line begins: the set-up, which .ci/run does, and what whoever follows the document does by hand.
OTHERS = ("python3 -m venv .venv", ".venv/bin/python -m pip ", ".venv/bin/python -m pytest", ".venv/bin/python tests/",
          ".venv/bin/python outputs/", ".venv/bin/tensorboard ", "cat outputs/")


def name_of(page):
    return str(page.relative_to(CHECKOUT))


def bare(command):
    """A command without what its figures do not depend on."""
    return re.sub(r" --output-dir \S+| --animate", "", command)


def ran(block):
    """What commands print, started in this process and without their pictures, and the folder that they ran in."""
    block = block.strip().replace(" -i ", " ").replace(" --animate", "")
    if block in RAN:
        return RAN[block]
    folder, printed = Path(tempfile.mkdtemp(dir=scratch().name)).resolve(), io.StringIO()
    reference.copied_recipes(folder)
    for page in ENGLISH:
        for language, text in blocks(TEXTS[page]):
            reference.saved(language, text, folder)
    with elsewhere(folder) as patch, contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        without_curves(patch)
        for line in block.splitlines():
            first, script, *words = shlex.split(line)
            if first == "cat":
                print(Path(script).read_text(encoding="ascii"))
                continue
            names = runpy.run_path(str(folder / script))
            if script.startswith("recipes/"):
                names["main"]([*words, "--no-figure"])
    RAN[block] = printed.getvalue(), folder
    return RAN[block]


@contextlib.contextmanager
def elsewhere(folder):
    """Have a folder in the place of the checkout's root: the recipes' files go below it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(flags, "OUTPUTS", folder / "outputs")
        yield patch


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


def section(page, heading):
    """The text from a heading to the next one of its kind."""
    sign = heading.split(" ")[0]
    return re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(sign)}}} |\Z)", TEXTS[page], re.S | re.M)[1]


def pictures(command):
    """The endings of the pictures that a command makes."""
    if "recipes/" not in command or "--no-figure" in command:
        return []
    comparison = "--runs" in command or re.search(r"--(optimizer|learning-rate) (all|\S+ [^-\s])", command)
    flagged = [ending for flag, ending in (("--trace ", "-graph.png"), ("--animate", ".gif")) if flag in command + " "]
    return ["-comparison.png"] if comparison else [".png", *flagged]


@pytest.mark.parametrize("block", SHOWN)
def test_commands_print_what_the_documents_show(block):
    command = block.splitlines()[0].rpartition(" && ")[2]
    drawn = re.compile(r"^Wrote .*?((?:-graph|-comparison)?\.(?:png|gif))\n", re.M)
    made = [ending for line in block.splitlines() for ending in pictures(line)]
    assert sorted(drawn.findall(SHOWN[block])) == sorted(made)
    assert same_text(ran(command if "&&" in block else block)[0], drawn.sub("", SHOWN[block]))


DONE = {bare(line) for line in [*"".join(SHOWN).splitlines(), *TRAINED]}  # by other tests


@pytest.mark.parametrize("command", sorted(line for line in {*"".join(SHELL).splitlines(), *NAMED}
                                           if RECIPE.fullmatch(line) and bare(line) not in DONE))
def test_a_command_shown_without_its_output_runs(command):
    if f"{command}\n" not in SHELL:  # no test asks for its figures
        command = command.replace("--runs 1000", "--runs 20") + (" --steps 30" if "--steps" not in command else "")
    assert "Wrote " in ran(of_one(command))[0]


def of_one(command):
    """The same command with one optimizer instead of all, which test_golden.py and test_comparison.py have."""
    return command.replace("--optimizer all", "--optimizer ftrl")


def test_every_line_of_the_commands_is_of_a_known_kind():
    for command in [*NAMED, *TRAINED]:
        assert RECIPE.fullmatch(command), "no interpreter, or no recipe"
    assert set(NAMED) >= set(TRAINED)
    for line in "".join(SHELL).splitlines():
        assert RECIPE.fullmatch(line) or line.startswith(OTHERS), line


FIGURES = {  # an exercise or command, and figures that stand both in a document and in what it prints or writes
    EXERCISES: {
        "1": ("-0.608414", "112.538", "-26.03003", "0.024688"), "2": ("9.7962",),
        "3": ("0.409586", "0.336075", "0.4039702"),
        "4": ("7.9218", "0.9724"), "5": ("157",), "6": ("15", "839"), "7": ("149", "0.2071"),
        "8": ("4.9159",), "9": ("9.094185", "9.049463"), "10": ("-0.8631",), "12": ("10.0009", "9.8856"),
        "13": ("7.53", "9.8592", "10.2578", "9.7962")},
    WALKTHROUGH: {
        "--trace --steps 1\n": ("-10.8551", "0.944032", "-20.495"), "recipes/regression.py\n": ("9.7962",),
        "--trace-step 1040": ("-0.092", "-0.52298", "7.5")},
}


@pytest.mark.parametrize(("page", "key"), [(page, key) for page in FIGURES for key in FIGURES[page]])
def test_the_figures_in_the_text_are_what_the_commands_print(page, key):
    text, known = TEXTS[page].replace("−", "-"), key
    if page == EXERCISES:
        text = re.search(rf"^\*\*{key}\. .*?(?=^\*\*\d+\. |^## |\Z)", text, re.S | re.M)[0]
        known = f"outputs/exercise-{key}\n"
    block, = {block for language, block in blocks(text) if language == "sh" and known in block}
    text = re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)
    printed, folder = ran(block)
    printed += "".join(path.read_text(encoding="ascii") for path in folder.glob("outputs/exercise*/*.csv"))
    numbers = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])", printed)
    for figure in FIGURES[page][key]:
        digits = len(figure.partition(".")[2])
        assert figure in text, figure
        assert any(f"{float(each):.{digits}f}" == figure or each.startswith(figure) for each in numbers), figure


def test_the_exercises_are_numbered_and_each_writes_into_a_folder_of_its_own():
    parts = re.findall(r"^\*\*(\d+)\. (.*?)(?=^\*\*\d+\. |^## |\Z)", TEXTS[EXERCISES], re.S | re.M)
    assert [number for number, _ in parts] == [str(number) for number in range(1, 14)]
    for number, text in parts:
        assert set(re.findall(r"outputs/exercise-(\d+)", text)) == {number}


def test_the_code_for_ipython_and_from_other_code_works(monkeypatch, tmp_path):
    code = [text for language, text in blocks(section(MANUAL, "## IPython and Jupyter")) if language == "py"]
    magic, start, question = code
    assert magic == "%run recipes/regression.py --steps 200\nrun.A[-1]\n"
    names = {}
    reference.copied_recipes(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with elsewhere(tmp_path), contextlib.redirect_stdout(io.StringIO()):
        exec(start, names)
        run, main = names["run"], names["regression"].main
        assert [len(column) for column in (run.x, run.y, run.A, run.loss)] == [200, 200, 201, 200]
        assert ([path.name for path in run.files], run.status) == (["regression.csv", "regression.json"], 0)
        assert eval(question, names) == pytest.approx((run.A[-1] - 10) ** 2)
        comparison = main(["--runs", "100", "--no-figure"])
        with contextlib.redirect_stderr(io.StringIO()), pytest.raises(SystemExit):
            main(["--no-such-flag"])
    assert (comparison.rows[0]["runs"], len(comparison.files), comparison.status) == (100, 2, 0)


@pytest.mark.parametrize("page", [page for page in PAIRS[0] if page.exists()], ids=name_of)
def test_the_code_in_a_walkthrough_stands_in_its_script(page):
    parts = [part for part in re.split(r"^## ", TEXTS[page], flags=re.M) if re.search(r"^\*\*[1-8]\. ", part, re.M)]
    for recipe, part in zip(("regression", "classification"), parts, strict=True):
        script = (CHECKOUT / "recipes" / f"{recipe}.py").read_text(encoding="utf-8")
        assert re.findall(r"^\*\*([1-8])\. ", part, re.M) == list("12345678")
        snippets = [text for language, text in blocks(part) if language == "py"]
        assert len(snippets) >= 6
        for snippet in snippets:
            assert f"\n{snippet}" in script, snippet


def test_every_word_on_the_terminal_is_explained():
    comparison, trace = (ran(f"{START}regression.py {words}")[0].splitlines() for words in (
        "--learning-rate 0.002 0.02 0.2 0.9 1.2 --runs 1000", "--trace --steps 1"))
    columns = set(comparison[0].split()) - {"optimizer", "learning_rate", "runs"}
    columns |= set(re.split(r"\s{2,}", trace[1].replace("by hand finite", "by hand  finite")))
    words = {"never", "-", "no rule", "cannot tell", "A", "Loss", "Accuracy", "In theory", "Wrote",
             "the least loss for these samples"}
    explained = set(re.findall("`([^`\n]+)`", PROSE[WALKTHROUGH]))
    assert columns | words <= explained, (columns | words) - explained


def test_the_table_of_files_names_what_is_written():
    named = set()
    for files, _, _ in rows(section(MANUAL, "## What is written"))[1:]:
        first, *endings = re.findall("`([^`]+)`", files)
        named |= {first, *(first.rpartition(".")[0] + ending for ending in endings)}
    written = set()
    for words in ("--animate", "--learning-rate 0.002 0.02 0.2 0.9 1.2 --runs 1000", "--trace --steps 1"):
        command = f"{START}regression.py {words}"
        written |= {path.name for path in (ran(command)[1] / "outputs").glob("regression*")}
        written |= {f"regression{ending}" for ending in pictures(command)}
    assert named == written


def test_the_readme_lists_every_flag_and_its_defaults(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "200")
    listed = {re.match("`(--[a-z-]+)", row[0])[1]: row[2:] for row in rows(TEXTS[README]) if row[0].startswith("`--")}
    for at, script in enumerate(SCRIPTS.values()):
        with pytest.raises(SystemExit):
            script.main(["--help"])
        printed, _ = capsys.readouterr()
        assert set(listed) == set(re.findall(r"^  (--[a-z-]+)", printed, re.M))
        for flag in ("--seed", "--steps", "--report-every", "--learning-rate", "--runs", "--trace-step"):
            said = re.search(rf"^  {flag} (.*?)(?=^  -|\Z)", printed, re.S | re.M)[1]
            assert re.search(rf"\({re.escape(listed[flag][at])}[;)]", said), flag


def test_nothing_names_a_path_of_some_machine_or_a_registry():
    for page, text in TEXTS.items():
        assert text.replace("\n", "").isprintable(), page
        assert not re.search(r"(?<![\w.])/(?:work|tmp|root|home|usr)/|pypi|files\.pythonhosted", text), page


@pytest.mark.parametrize(("english", "chinese"), [pair for pair in PAIRS if pair[1].exists()], ids=name_of)
def test_both_languages_show_the_same_commands_code_outputs_and_formulas(english, chinese):
    for kind in (r"^```\w+\n.*?^```", r"^\$\$.*?^\$\$", r"!\[[^]]*\]\(([^)]+)\)"):
        assert re.findall(kind, TEXTS[english], re.S | re.M) == re.findall(kind, TEXTS[chinese], re.S | re.M)
    assert len(rows(TEXTS[english])) == len(rows(TEXTS[chinese]))


def anchors(page):
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    headings = re.findall(r"^#+ (.*)", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_and_picture_of_the_checkout_exists_with_its_anchor(page):
    for link in re.findall(r"\]\(([^)]+)\)", PROSE[page]):
        if "://" not in link:
            file, _, anchor = link.partition("#")
            target = page.parent / file if file else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("words", KEPT)
def test_a_tracked_file_is_what_its_command_gives_today(words):
    assert any(words in line for line in "".join(SHELL).splitlines())
    folder = ran(of_one(START + words))[1] / "outputs"
    script, *given = shlex.split(words)
    trained = flags.parse(SCRIPTS[script.removesuffix(".py")].main, given).rows
    for name, new_name in KEPT[words].items():
        ours, tracked = folder / name, REFERENCE / new_name
        if name.endswith("csv"):
            known = {tuple(row[:2]): row for row in csv.reader(tracked.open(encoding="ascii"))}
            found = list(csv.reader(ours.open(encoding="ascii")))
            if "--runs" in words:
                assert [(optimizer, float(rate)) for optimizer, rate in [*known][1:]] == trained
            assert len(found) == (2 if "--optimizer all" in words else len(known))
            for row in found:
                for cell, same in zip(row, known[tuple(row[:2])], strict=True):
                    assert cell == same or np.isclose(float(cell), float(same), rtol=1e-5, atol=1e-5)
        elif name.endswith("json"):
            record, tracked_record = (json.loads(path.read_bytes()) for path in (ours, tracked))
            assert tracked_record["command"] == f"python recipes/{words}"
            assert record["flags"] == tracked_record["flags"]
            for key, number in tracked_record["result"].items():
                same = pytest.approx(number, rel=1e-5) if isinstance(number, float) else number
                assert record["result"][key] == same
        else:
            assert words.encode() in tracked.read_bytes(), "what made it, in its metadata"


def test_every_reference_file_is_made_and_every_picture_shown_and_all_are_small():
    shown = {Path(link).name for text in TEXTS.values() for link in re.findall(r"\]\(([^)]*reference/[^)]+)\)", text)}
    made = {new_name for kept in KEPT.values() for new_name in kept.values()}
    assert made == {path.name for path in REFERENCE.iterdir()}
    assert {name for name in made if name.endswith((".png", ".gif"))} == shown
    assert sum(path.stat().st_size for path in REFERENCE.iterdir()) < 2.5 * 2**20
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    tracked = [CHECKOUT / name for name in listed.stdout.split("\0") if name]
    assert sum(path.stat().st_size for path in tracked if path.exists()) < 3.5 * 2**20
