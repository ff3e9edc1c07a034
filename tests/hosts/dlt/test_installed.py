"""What happens without dlt, and that the settings are those of the other hosts."""

from __future__ import annotations

import ast
import subprocess
import sys
from inspect import signature

from connector.hosts.streams.settings import SourceSettings
from tests.hosts.judges import ROOT


def test_without_dlt_it_says_what_to_install() -> None:
    hidden = "import sys; sys.modules['dlt'] = None; import connector.hosts.dlt"
    done = subprocess.run([sys.executable, "-c", hidden], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "pip install 'openai-connector[dlt]'" in done.stderr


def test_every_setting_of_the_source_is_an_argument_with_the_same_default() -> None:
    module = ast.parse((ROOT / "connector" / "hosts" / "dlt" / "source.py").read_text())
    [read] = [one for one in module.body if isinstance(one, ast.FunctionDef) and one.name == "_read_openai"]
    arguments = {
        one.arg: ast.literal_eval(value) for one, value in zip(read.args.args, read.args.defaults, strict=True)
    }
    fields = {name: field.default for name, field in SourceSettings.model_fields.items()}
    assert arguments == fields
    assert signature(SourceSettings).parameters.keys() == arguments.keys()
