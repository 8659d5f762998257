"""The example of docs/prove.md says what the document shows."""

import re
from pathlib import Path

from click.testing import CliRunner

from watchkeeper.cli import main

DOCUMENT = Path(__file__).parents[2] / "docs" / "prove.md"


def test_the_contract_of_the_document_is_proved_as_it_shows(tmp_path, monkeypatch):
    text = DOCUMENT.read_text("utf-8")
    (source,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (tmp_path / "shop_of_proofs.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    result = CliRunner().invoke(main, ["prove", "shop_of_proofs:CONTRACT", "--no-mutation"])
    (shown,) = re.findall(r"^\$ watchkeeper prove.*?\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert [line for line in result.output.splitlines() if " data" not in line][:3] == (
        shown.splitlines()[:3]
    )
    assert result.output.splitlines()[-1].startswith(shown.splitlines()[-1])
    assert result.exit_code == 1
