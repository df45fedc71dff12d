"""Wrong input is answered in one sentence, at once, and before anything is written."""

import re

import pytest
from conftest import RECIPES, SCRIPTS, one_sentence, run

WHOLE = "must be a whole number of at least"
STEPS = "must be a whole number from 1 to 100,000,000, not"
RATE = "must be a positive number that float32 can hold, not"
WRONG = [
    *((["--steps", value], f"--steps {STEPS} '{value}'")
      for value in ("0", "-3", "2.5", "many", "", "1e3", "-1e5", "1_0", "100000001", "9" * 5000)),
    *((["--runs", value], f"--runs {STEPS} '{value}'") for value in ("0", "100000001")),
    *((["--report-every", value], f"--report-every {WHOLE} 1, not '{value}'") for value in ("0", "-1", "0.5", "x")),
    *((["--learning-rate", value], f"--learning-rate {RATE} '{value}'")
      for value in ("0", "-0.1", "-1e-5", "-.5", "-inf", "nan", "inf", "fast", "1e-60", "1e60", "1_0")),
    (["--learning-rate", "0.1", "-1e-5"], f"{RATE} '-1e-5'"),
    *((["--seed", value], f"--seed {WHOLE} 0, not '{value}'") for value in ("-1", "1.5", "x", "1_0", "٣")),
    (["--steps"], "--steps needs a value"),
    (["--optimizer"], "--optimizer needs a value"),
    (["--steps", "--no-figure"], "--steps needs a value"),
    (["--no-figure=yes"], "--no-figure takes no value"),
    (["--sed", "3"], "unknown argument '--sed' (did you mean --seed?)"),
    (["--step", "3"], "unknown argument '--step' (did you mean --steps?)"),
    (["surplus"], "unknown argument 'surplus'"),
    (["b\udcff"], "unknown argument"),  # what a name that is not UTF-8 comes as
    (["--steps", "3", "--steps=4"], "--steps is given 2 times: give it once"),
    (["--no-figure", "--no-figure"], "--no-figure is given 2 times: give it once"),
    (["--optimizer", "adam", "--optimizer", "ftrl"], "--optimizer is given 2 times: give it once"),
    (["--tensorboard", ""], "--tensorboard must name a folder, not nothing"),
    (["--animate", "--no-figure"], "--animate makes a picture and --no-figure makes none: leave one of them out"),
    (["--trace-step", "2"], "--trace-step goes with --trace"),
    (["--trace", "--trace-step", "8", "--steps", "7"], "--trace-step must be one of the 7 steps, not 8"),
]


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize(("flags", "says"), WRONG, ids=ascii)
def test_wrong_input_gets_one_sentence_and_status_2(recipe, flags, says, tmp_path, capsys):
    folder = tmp_path / "outputs"
    with pytest.raises(SystemExit) as end:
        SCRIPTS[recipe].main([*flags, "--output-dir", folder])
    printed, errors = capsys.readouterr()
    assert (end.value.code, printed) == (2, "")
    assert one_sentence(errors)
    assert errors.startswith(f"{recipe}.py: ")
    assert says in errors
    assert not folder.exists()


def test_an_empty_name_is_no_output_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        SCRIPTS["regression"].main(["--output-dir", ""])
    assert end.value.code == 2
    assert "--output-dir must name a folder, not nothing" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["--output-dir", "--tensorboard"])
@pytest.mark.parametrize("below", ["", "deeper/down"])
def test_a_folder_that_is_a_file_gets_one_sentence_and_status_2(flag, below, tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("kept", encoding="ascii")
    with pytest.raises(SystemExit) as end:
        SCRIPTS["regression"].main([flag, file / below])
    errors = capsys.readouterr().err
    assert end.value.code == 2
    assert one_sentence(errors)
    assert f"{flag} must name a folder, but '{file}' is a file" in errors
    assert file.read_text(encoding="ascii") == "kept"


def test_wrong_input_and_help_load_neither_tensorflow_nor_matplotlib(tmp_path):
    for package in ("tensorflow", "matplotlib"):
        (tmp_path / f"{package}.py").write_text("raise RuntimeError('loaded')", encoding="ascii")
    for flag, status in (("--help", 0), ("--steps=0", 2)):
        done = run("regression", flag, env={"PYTHONPATH": str(tmp_path)})
        assert "loaded" not in done.stderr
        assert done.returncode == status
        assert (done.stdout == "") == (status == 2)
        assert (done.stderr == "") == (status == 0)


def test_help_has_one_line_for_each_flag_and_shows_the_defaults(capsys):
    with pytest.raises(SystemExit) as end:
        SCRIPTS["classification"].main(["--help"])
    assert not end.value.code
    lines = capsys.readouterr().out.splitlines()
    for flag, default in (("--seed", "18"), ("--steps", "1400"), ("--report-every", "200"), ("--learning-rate", "0.05"),
                          ("--output-dir", "outputs/ of the checkout"), ("--no-figure", "draw it"), ("--runs", "1"),
                          ("--optimizer", "gradient-descent"), ("--trace-step", "1"), ("--trace ", "do not"),
                          ("--tensorboard", "do not"), ("--animate", "do not")):
        line, = (line for line in lines if line.strip().startswith(flag))
        assert re.search(rf"\(default: {re.escape(default)}[);]", line), line
