"""The back-test as a document and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.backtest.measures import Outcome, Precision, gains, precision, separation, wilson

LEVELS = ("active", "low", "medium", "high", "critical")
HORIZONS = (3, 6)


@dataclass(frozen=True)
class Account:
    """An account with recurring revenue on the first night.

    Attributes:
        level: its churn_risk_level on that night.
        score: its churn_risk_score on that night.
        days_since_login: on that night; None when it never logged in.
        left_after: in which month since, from 1, it first had no recurring revenue any more; None when it has not left.
    """

    level: str
    score: float
    days_since_login: float | None
    left_after: int | None


@dataclass(frozen=True)
class Study:
    """The accounts of one company between two nights."""

    scored_on: str
    seen_on: str
    company: str
    accounts: tuple[Account, ...]

    def outcomes(self, months: int) -> list[Outcome]:
        """Accounts by their churn score."""
        return [Outcome(account.score, self._left(account, months)) for account in self.accounts]

    def baseline(self, months: int) -> list[Outcome]:
        """Accounts by the days since their last login alone, one that never logged in last."""
        return [
            Outcome(-1 if account.days_since_login is None else account.days_since_login, self._left(account, months))
            for account in self.accounts
        ]

    @staticmethod
    def _left(account: Account, months: int) -> bool:
        return account.left_after is not None and account.left_after <= months


def document(study: Study) -> str:
    """docs/backtest.md."""
    score, recency = precision(study.outcomes(HORIZONS[-1])), precision(study.baseline(HORIZONS[-1]))
    rows = [
        _row(name, months, ranking)
        for months in HORIZONS
        for name, ranking in (("churn score", study.outcomes(months)), ("recency only", study.baseline(months)))
    ]
    return f"""\
# Back-test of the churn score

Made by `python -m tests.backtest` ({study.company}): one night as of {study.scored_on}, scored as the platform scored then, and one as of
{study.seen_on}, which says what became of the {len(study.accounts)} accounts that had recurring revenue on the first. An account *left* when a month
ended in which it had none any more (movement *churn* of `core.fct_revenue`), though it may have come back since. Money alone decides who left; the
login flags of `mart_churn_risk` do not.

## The tenth with the highest score

{_markdown(["ranking", "within", "called", "of them left", "precision (95 %)", "all accounts", "lift", "found of all leavers", "separation"], rows)}
*Precision* is the share of the called tenth that left; *lift* that share against calling at random (`all accounts`); *separation* the chance that
a leaver is ranked above one that stayed (0.5 is chance). Where equal values share the last place, each counts with the part that fits, so hits
need not be whole. The baseline ranks by days since the last login alone; an account that never logged in comes last in it.

{_verdict(score, recency)}

## Calibration

{_markdown(["level", "accounts", "mean score", "left in 3 months", "left in 6 months", "share in 6 months (95 %)"], _levels(study))}
{_empty(study)}The score is a ranking from 0 to 100 and not a probability. It is of use when the share that left grows from level to level; how
large that share is, this table says and the score does not.

![How many leavers each ranking finds, and the share that left by level](images/backtest.svg)

## What this shows, and what not

The company is a demo: its customers' use fades in the 75 days before they leave, and nothing else announces it: tickets, products and contractions
come to leavers and to others alike. Whoever leaves later than that had shown nothing yet on the first night, so that no ranking finds much of what
six months bring, and three of the score's five parts can only disturb it. The back-test shows whether the score sees a decline that has begun,
without knowing anything that came later. It cannot show how well the weights fit a company's own customers; for that, play the same two
nights on their data (`--data folder`) and read the intervals before changing the seed `churn_risk_settings`.
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
        return "Nobody left in six months: there is nothing to find, and the rankings cannot be told apart."
    told = f"({score.hits:.1f} against {recency.hits:.1f} of {score.called} called)"
    if abs(score.hits - recency.hits) < 0.05:
        return f"Within six months the score found as many of those that left as recency alone {told}: here the two cannot be told apart."
    word = "more" if score.hits > recency.hits else "fewer"
    apart = score.interval[0] > recency.interval[1] or recency.interval[0] > score.interval[1]
    doubt = "the intervals do not overlap" if apart else "the intervals overlap, so that chance may explain the difference"
    return f"Within six months the score found {word} of those that left than recency alone {told}; {doubt}."


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
    """Says which levels nobody stood at, however much such an alarm may promise."""
    missing = [level for level in LEVELS if all(account.level != level for account in study.accounts)]
    return f"Nobody stood at {' or '.join(missing)}: an alarm there would have called no one. " if missing else ""


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
    """docs/images/backtest.svg: what each ranking finds, and the share that left by level."""
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
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="820" height="410" viewBox="0 0 820 410">\n<style>{STYLE}</style>\n<rect width="820" height="410" fill="white"/>\n{body}\n</svg>\n'


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
