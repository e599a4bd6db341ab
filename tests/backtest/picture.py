"""The picture of the back-test."""

from __future__ import annotations

from tests.backtest.measures import gains, wilson
from tests.backtest.study import HORIZONS, LEVELS, Study

SIDE, TOP, LEFT, SECOND = 300, 50, 60, 480
STYLE = (
    "text{font:13px sans-serif;fill:#333}.title{font-weight:bold}.axis,.grid{stroke:#999;fill:none}.grid{stroke:#e5e5e5}"
    ".score{stroke:#2a9d8f;stroke-width:2.5;fill:none}.recency{stroke:#e76f51;stroke-width:2;fill:none}"
    ".chance{stroke:#999;stroke-dasharray:4 4;fill:none}.bar{fill:#2a9d8f}.error{stroke:#333;stroke-width:1.5}"
)


def picture(study: Study) -> str:
    """The text of docs/images/backtest.svg: the leavers that each ranking finds, and the share that left by level."""
    months = HORIZONS[-1]
    curves = [
        ("chance", [(0.0, 0.0), (1.0, 1.0)]),
        ("recency", gains(study.baseline(months))),
        ("score", gains(study.outcomes(months))),
    ]
    parts = [
        _text(LEFT, 24, f"Leavers found within {months} months", "title"),
        *_frame(LEFT, "accounts called, by rank", "leavers found"),
        *(f'<polyline class="{name}" points="{_points(LEFT, curve)}"/>' for name, curve in curves),
        *_legend(),
        _text(SECOND, 24, f"Share that left in {months} months, by level", "title"),
        *_frame(SECOND, "", ""),
        *_bars(study, months),
    ]
    body = "\n".join(parts)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="820" height="410" viewBox="0 0 820 410">\n'
        f'<style>{STYLE}</style>\n<rect width="820" height="410" fill="white"/>\n{body}\n</svg>\n'
    )


def _y(share: float) -> float:
    return TOP + SIDE * (1 - share)


def _points(left: int, curve: list[tuple[float, float]]) -> str:
    return " ".join(f"{left + SIDE * x:.1f},{_y(y):.1f}" for x, y in curve)


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{words}</text>'


def _frame(left: int, below: str, beside: str) -> list[str]:
    steps = [0, 0.25, 0.5, 0.75, 1]
    lines = [f'<line class="grid" x1="{left}" x2="{left + SIDE}" y1="{_y(s):.0f}" y2="{_y(s):.0f}"/>' for s in steps]
    labels = [_text(left - 6, _y(s) + 4, f"{100 * s:.0f} %", anchor="end") for s in steps]
    named = [_text(left + SIDE / 2, TOP + SIDE + 38, below, anchor="middle"), _text(left + 8, TOP + 16, beside)] if below else []
    scale = [_text(left + SIDE * s, TOP + SIDE + 18, f"{100 * s:.0f} %", anchor="middle") for s in steps] if below else []
    return [*lines, f'<rect class="axis" x="{left}" y="{TOP}" width="{SIDE}" height="{SIDE}"/>', *labels, *scale, *named]


def _legend() -> list[str]:
    named = (("score", "churn score"), ("recency", "recency only"), ("chance", "at random"))
    x, y = LEFT + 170, TOP + SIDE - 60
    return [
        part
        for number, (kind, words) in enumerate(named)
        for part in (
            f'<line class="{kind}" x1="{x}" x2="{x + 24}" y1="{y + 20 * number}" y2="{y + 20 * number}"/>',
            _text(x + 30, y + 20 * number + 4, words),
        )
    ]


def _bars(study: Study, months: int) -> list[str]:
    shown = [(level, study.at(level)) for level in LEVELS]
    shown = [(level, accounts) for level, accounts in shown if accounts]
    width = SIDE / len(shown)
    parts = []
    for number, (level, accounts) in enumerate(shown):
        left = sum(account.left(months) for account in accounts)
        x, share = SECOND + width * (number + 0.2), left / len(accounts)
        low, high = (bound / 100 for bound in wilson(left, len(accounts)))
        middle = x + width * 0.3
        parts += [
            f'<rect class="bar" x="{x:.1f}" y="{_y(share):.1f}" width="{width * 0.6:.1f}" height="{SIDE * share:.1f}"/>',
            f'<line class="error" x1="{middle:.1f}" x2="{middle:.1f}" y1="{_y(low):.1f}" y2="{_y(high):.1f}"/>',
            _text(middle, TOP + SIDE + 18, level, anchor="middle"),
            _text(middle, TOP + SIDE + 38, f"{len(accounts)} accounts" if number == 0 else str(len(accounts)), anchor="middle"),
        ]
    base = sum(o.left for o in study.outcomes(months)) / len(study.accounts)
    parts.append(f'<line class="chance" x1="{SECOND}" x2="{SECOND + SIDE}" y1="{_y(base):.1f}" y2="{_y(base):.1f}"/>')
    return parts
