"""Wrong input is answered in one sentence, at once, and before anything is written."""


import re

import pytest
from conftest import RECIPES, one_sentence, run

WHOLE = "must be a whole number of at least"
RATE = "must be a positive number that float32 can hold"
WRONG = [
    *((["--steps", value], WHOLE) for value in ("0", "-3", "2.5", "many", "")),
    *((["--report-every", value], WHOLE) for value in ("0", "-1", "0.5", "x")),
    *((["--learning-rate", value], RATE) for value in ("0", "-0.1", "nan", "inf", "fast", "1e-60", "1e60")),
    (["--learning-rate", "-inf"], "needs a value"),
    *((["--seed", value], WHOLE) for value in ("-1", "1.5", "x")),
    (["--steps"], "needs a value"),
    (["--no-figure=yes"], "takes no value"),
    (["--sed", "3"], "unknown argument '--sed' (did you mean --seed?)"),
    (["--step", "3"], "did you mean --steps?"),
    (["surplus"], "unknown argument 'surplus'"),
]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("flags", "says"), WRONG, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_wrong_input_gets_one_sentence_and_status_2(recipe, flags, says, tmp_path):
    folder = tmp_path / "outputs"
    done = run(recipe, *flags, "--output-dir", folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert one_sentence(done.stderr)
    assert says in done.stderr
    assert not folder.exists()


@pytest.mark.parametrize("below", ["", "deeper/down"])
def test_an_output_folder_that_is_a_file_gets_one_sentence_and_status_2(below, tmp_path):
    file = tmp_path / "file"
    file.write_text("kept")
    done = run("regression", "--output-dir", file / below)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert f"'{file}' is a file" in done.stderr
    assert file.read_text() == "kept"


@pytest.mark.parametrize("flag", ["--help", "--steps=0"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_help_and_wrong_input_load_neither_tensorflow_nor_matplotlib(recipe, flag, tmp_path):
    for package in ("tensorflow", "matplotlib"):
        (tmp_path / f"{package}.py").write_text("raise RuntimeError('loaded')")
    done = run(recipe, flag, env={"PYTHONPATH": str(tmp_path)})
    assert "loaded" not in done.stderr
    assert done.returncode == (0 if flag == "--help" else 2)


def test_help_has_one_line_for_each_flag_and_shows_the_defaults():
    lines = run("classification", "--help").stdout.splitlines()
    for flag, default in (("--seed", "18"), ("--steps", "1400"), ("--report-every", "200"), ("--learning-rate", "0.05"),
                          ("--output-dir", "outputs/ of the checkout"), ("--no-figure", "draw it"), ("--runs", "1"),
                          ("--optimizer", "gradient-descent"), ("--trace-step", "1"), ("--trace ", "do not"),
                          ("--tensorboard", "do not")):
        line, = (line for line in lines if line.strip().startswith(flag))
        assert re.search(rf"\(default: {re.escape(default)}[);]", line), line
