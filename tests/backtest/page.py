"""The back-test as a document and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.backtest.measures import Outcome, Precision, gains, precision, separation, wilson

LEVELS = ("active", "low", "medium", "high", "critical")
HORIZONS = (3, 6)


@dataclass(frozen=True)
class Account:
    """An account with recurring revenue in the first run.

    Attributes:
        level: its churn_risk_level in that run.
        score: its churn_risk_score in that run.
        days_since_login: in that run; None if it never logged in.
        left_after: the number of the month, from 1, in which it first had no recurring revenue; None if it has not left.
    """

    level: str
    score: float
    days_since_login: float | None
    left_after: int | None


@dataclass(frozen=True)
class Study:
    """The accounts of one company in two nightly runs."""

    scored_on: str
    seen_on: str
    company: str
    accounts: tuple[Account, ...]

    def outcomes(self, months: int) -> list[Outcome]:
        """The accounts with their churn score."""
        return [Outcome(account.score, self._left(account, months)) for account in self.accounts]

    def baseline(self, months: int) -> list[Outcome]:
        """The accounts with the days since their last login as score; -1 if they never logged in."""
        return [
            Outcome(-1 if account.days_since_login is None else account.days_since_login, self._left(account, months))
            for account in self.accounts
        ]

    @staticmethod
    def _left(account: Account, months: int) -> bool:
        return account.left_after is not None and account.left_after <= months


def document(study: Study) -> str:
    """The text of docs/backtest.md."""
    score, recency = precision(study.outcomes(HORIZONS[-1])), precision(study.baseline(HORIZONS[-1]))
    rows = [
        _row(name, months, ranking)
        for months in HORIZONS
        for name, ranking in (("churn score", study.outcomes(months)), ("recency only", study.baseline(months)))
    ]
    return f"""\
# Back-test of the churn score

Made by `python -m tests.backtest` ({study.company}). A nightly run as of {study.scored_on} scores all {len(study.accounts)} accounts with recurring revenue.
A nightly run as of {study.seen_on} shows which of them have left since. An account *has left* at the end of the first month without recurring revenue
(movement *churn* of `core.fct_revenue`), even if it has come back later. The login flags of `mart_churn_risk` do not count.

## The tenth of all accounts with the highest score

{_markdown(["ranking", "within", "called", "of them left", "precision (95 %)", "all accounts", "lift", "found of all leavers", "separation"], rows)}
*Precision* is the share of the called accounts that left. *Lift* is precision divided by the share of all accounts that left. *Separation* (AUC) is
the probability that an account that left is ranked above one that stayed; 0.5 is random. If accounts with equal values share the last place, each
counts in part, so the number that left may be a fraction. The baseline *recency only* ranks by days since the last login. Accounts that never logged
in come last in it.

{_verdict(score, recency)}

## Calibration

{_markdown(["level", "accounts", "mean score", "left in 3 months", "left in 6 months", "share in 6 months (95 %)"], _levels(study))}
{_empty(study)}The score is a ranking from 0 to 100, not a probability.
It is useful if the share that left grows from level to level. The table shows how large that share is.

![Leavers that each ranking finds, and the share that left by level](images/backtest.svg)

## What this shows, and what it does not show

The company is a demo. Its customers use the product less in the 75 days before they leave. Nothing else changes before they leave: tickets, products
and contractions are the same for all accounts. Accounts that leave later showed no sign yet at the time of the score. So no ranking finds many
of those that leave within six months, and three of the score's five parts add only noise.

The back-test shows whether the score detects a decline that has begun, without any later data. It does not show whether the weights fit another
company's customers. To test that, run the back-test on their data (`--data folder`). Read the intervals before you change the seed
`churn_risk_settings`.
"""


def _row(name: str, months: int, ranking: Sequence[Outcome]) -> list[str]:
    top, parted = precision(ranking), separation(ranking)
    return [
        name,
        f"{months} months",
        str(top.called),
        f"{top.hits:.1f}",
        f"{top.pct:.0f} % {_between(top.interval)}",
        f"{top.base_pct:.0f} %",
        "–" if top.lift is None else f"{top.lift:.1f}",
        "–" if top.recall_pct is None else f"{top.recall_pct:.0f} %",
        "–" if parted is None else f"{parted:.2f}",
    ]


def _verdict(score: Precision, recency: Precision) -> str:
    if not score.leavers:
        return "No account left within six months, so the rankings cannot be compared."
    numbers = f"({score.hits:.1f} against {recency.hits:.1f} of {score.called} called)"
    if abs(score.hits - recency.hits) < 0.05:
        return f"Within six months, the score found as many accounts that left as recency only {numbers}."
    word = "more" if score.hits > recency.hits else "fewer"
    apart = score.interval[0] > recency.interval[1] or recency.interval[0] > score.interval[1]
    doubt = "The intervals do not overlap." if apart else "The intervals overlap, so the difference may be random."
    return f"Within six months, the score found {word} accounts that left than recency only {numbers}.\n{doubt}"


def _levels(study: Study) -> list[list[str]]:
    rows = []
    for level in reversed(LEVELS):
        accounts = [account for account in study.accounts if account.level == level]
        if accounts:
            soon, late = (
                sum(account.left_after is not None and account.left_after <= m for account in accounts) for m in HORIZONS
            )
            mean = sum(account.score for account in accounts) / len(accounts)
            share = f"{100 * late / len(accounts):.0f} % {_between(wilson(late, len(accounts)))}"
            rows.append([level, str(len(accounts)), f"{mean:.0f}", str(soon), str(late), share])
    return rows


def _empty(study: Study) -> str:
    """A sentence that names the levels without accounts."""
    missing = [level for level in LEVELS if all(account.level != level for account in study.accounts)]
    return f"No account had the level {' or '.join(missing)}. " if missing else ""


def _between(interval: tuple[float, float]) -> str:
    return f"({interval[0]:.0f}–{interval[1]:.0f})"


def _markdown(columns: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, ["---"] * len(columns), *rows]) + "\n"


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
    shown = [(level, [a for a in study.accounts if a.level == level]) for level in LEVELS]
    shown = [(level, accounts) for level, accounts in shown if accounts]
    width = SIDE / len(shown)
    parts = []
    for number, (level, accounts) in enumerate(shown):
        left = sum(a.left_after is not None and a.left_after <= months for a in accounts)
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
