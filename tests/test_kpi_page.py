"""docs/kpis.md says what each KPI says of itself. `python tests/test_kpi_page.py` writes it anew."""

from __future__ import annotations

from pathlib import Path

from servsim.kpis import KPIS, Kpi

PAGE = Path(__file__).parent.parent / "docs" / "kpis.md"

HEAD = """# Every KPI

As named in `kpis.csv`, under `headline`, `facts` and in a scorecard; what the reports call them stands in italics.
Arrows: whether higher (↑) or lower (↓) is better. There are groups of cases, work items and people besides "all":
`class=…`, `channel=…`, `department=…`, `step=…`, `skill=…`, `pool=…`, `hour=09`. Counted are the cases that arrive in
[warm-up, horizon). NaN: there is no answer, the KPI is left out of tables. Written by `python tests/test_kpi_page.py`.

| KPI | unit | what |
|---|---|---|
"""
FAMILIES = ("promise_ID", "elapsed_ID_mean", "late_by_ID", "missed_ID")
"""KPIs of each promise; of how much time had elapsed there are median, p90 and max too."""
ARROWS = {"higher": "↑", "lower": "↓", None: ""}


def row(kpi: Kpi, meaning: str) -> str:
    text = " ".join(meaning.split()).replace("|", "\\|")
    return f"| `{kpi.name}` | {kpi.unit} {ARROWS[kpi.better]}".rstrip() + f" | *{kpi.label('en')}*: {text} |\n"


def page() -> str:
    known = [row(KPIS[name], KPIS[name].function.__doc__ or "") for name in KPIS]
    made = {
        "promise_": "kept ÷ (kept + missed), of counted cases",
        "elapsed_": "of what has happened; also `_median`, `_p90`, `_max`",
        "late_by_": "beyond the limit",
        "missed_": "how many counted cases missed it",
    }
    of_promises = [row(KPIS[name], next(t for k, t in made.items() if name.startswith(k))) for name in FAMILIES]
    return HEAD + "".join(known + of_promises)


def test_the_page_says_what_the_kpis_say() -> None:
    assert PAGE.read_text("utf-8") == page(), "write it anew: python tests/test_kpi_page.py"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
