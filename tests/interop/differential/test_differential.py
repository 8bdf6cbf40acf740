"""The differential test, and that its rules are written down."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import rules  # noqa: E402
import run  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("signed, seeds", [(False, range(1, 201)), (True, range(1, 61))])
def test_others_answer_the_same_but_for_what_rules_excuse(signed, seeds):
    result = run.compare_seeds(seeds, questions=110, signed=signed)
    assert not result.left, result.report()
    assert not result.refused_by_us, result.report()
    # It is no comparison if the others have no zones, or if all is excused.
    assert all(count > 0.8 * result.asked for count in result.compared.values()), result.report()
    assert result.excused < (0.6 if signed else 0.2) * 3 * result.asked, result.report()


def test_every_rule_is_argued_in_the_documentation():
    text = (ROOT / "docs/rfc-compliance.md").read_text().partition("## Differences from other servers\n")[2]
    rows = {line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ") and line.count("|") == 5}
    assert set(rules.RULES) | {"other-proofs"} == rows - {"rule"}
