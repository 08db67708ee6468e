"""The palette: one list of actions for keys, sheet, palette and docs; cases by number and words."""

import re
from pathlib import Path

from web.actions import ACTIONS

ROOT = Path(__file__).resolve().parents[2]


def test_every_action_stands_in_sheet_script_and_docs(smm) -> None:
    page = smm.get("/inbox").text
    script = (ROOT / "web/static/js/keys.js").read_text(encoding="utf-8")
    docs = (ROOT / "docs/ru/keys.md").read_text(encoding="utf-8")
    for action in ACTIONS:
        if action.code:
            assert f'data-act="{action.name}" data-code="{action.code}"' in page
            assert re.search(rf"\b{action.name}: \(\) =>", script), action.name
        for key in action.keys.split(" ") if "Ctrl" not in action.keys else [action.keys.replace(" ", "+")]:
            assert re.search(rf"\| (?:\S+, )*{re.escape(key)}(?:, \S+)* \|", docs), key


def test_no_two_actions_share_a_key_or_a_name() -> None:
    codes = [action.code for action in ACTIONS if action.code]
    assert len(set(codes)) == len(codes)
    assert len({action.name for action in ACTIONS}) == len(ACTIONS)


def test_it_offers_what_the_person_may_do_and_see(smm, enter) -> None:
    page = smm.get("/inbox").text
    assert 'data-act="reply"' in page
    assert 'id="palette-view-question"' in page
    assert 'data-act="reply"' not in smm.get("/sources").text.split('id="palette"')[1]
    curator = enter("curator").get("/questions").text
    assert 'id="palette"' in curator
    assert "palette-view" not in curator
    assert "data-cases" not in curator


def test_cases_by_number_and_by_words(smm, enter, open_case) -> None:
    case_id = open_case("Когда вебинар?", "Анна Яр")
    for typed in ("1", "ОБ-2026-000001", "вебинары", "анна"):
        assert f'id="palette-case-{case_id}"' in smm.get(f"/palette?q={typed}").text, typed
    assert "palette-case" not in smm.get("/palette?q=").text
    assert enter("curator").get("/palette?q=1").status_code == 403
