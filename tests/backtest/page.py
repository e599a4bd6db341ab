"""The back-test as a document."""

from __future__ import annotations

from collections.abc import Sequence

from tests.backtest.measures import Outcome, Precision, precision, separation, wilson
from tests.backtest.study import ALARMS, HORIZONS, LEVELS, Study

FEW = 20
"""With fewer leavers, the page says that its figures on parts say little."""


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

Made by `python -m tests.backtest` from the accounts of:

{_companies(study)}
A run as of {study.scored_on} scores all {len(study.accounts)} accounts with recurring revenue.
A run as of {study.seen_on} shows which of them have left since. The runs have no gates, so no row is in quarantine. An account *has left* at the end of the
first month without recurring revenue (movement *churn* of `core.fct_revenue`), even if it has come back later. The login flags of `mart_churn_risk` do not
count.

## The alarm

The alarm calls the accounts at the levels {" and ".join(ALARMS)}.

{_markdown(["within", "called", "of them left", "precision (95 %)", "all accounts", "lift", "found of all leavers"], _alarms(study))}
*Precision* is the share of the called accounts that left. *Lift* is precision divided by the share of all accounts that left.

## The tenth of all accounts with the highest score

The tenth is of all organizations together; a level of the alarm is by the ranks in one organization.

{_markdown(["ranking", "within", "called", "of them left", "precision (95 %)", "all accounts", "lift", "found of all leavers", "separation"], rows)}
*Separation* (AUC) is the probability that an account that left is ranked above one that stayed; 0.5 is random. If accounts with equal values share the
last place, each counts in part, so the number that left may be a fraction. The baseline *recency only* ranks by days since the last login. Accounts that
never logged in come last in it.

{_verdict(score, recency)}

## What each part adds

Within {HORIZONS[0]} months:

{_markdown(["part", "weight", "separation alone", "separation of the score without it", "it adds", "leavers in the top tenth without it"], _parts(study))}
The whole score has a separation of {_share(separation(study.outcomes(HORIZONS[0])))} and finds {precision(study.outcomes(HORIZONS[0])).hits:.1f} leavers in
the top tenth. {_few(study)}A part that adds nothing or less than nothing does not help on this company.

## Signals that the score does not use

{_markdown(["signal", "known for", "separation alone"], _others(study))}
A signal is worth a part of its own if it separates clearly better than 0.5 on your company too.

## Levels

{_markdown(["level", "accounts", "mean score", "left in 3 months", "left in 6 months", "share in 6 months (95 %)"], _levels(study))}
{_empty(study)}The score is a ranking from 0 to 100, not a probability.
A level is useful if the share that left grows from level to level. The levels here are by rank: no organization has a history of its own with 100
leavers. [metrics.md](metrics.md#customers) says when they are calibrated.

![Leavers that each ranking finds, and the share that left by level](images/backtest.svg)

## What this shows, and what it does not show

The company is a demo. Its customers announce a departure in seven ways: usage falls, nobody logs in, tickets pile up, invoices stay unpaid, survey
scores are low, sales calls fail, or the contract shrinks. A departure has one of these signs, two, or none. It begins 50 to 140 days before the end. The
same signs pass at some customers that stay. The score knows four of the ways. Accounts that leave later showed no sign yet at the time of the score.

The back-test shows whether the score detects a departure that has begun, without any later data. It does not show whether the weights fit another
company's customers: the shares of the ways are made up. To test that, run the back-test on their data (`--data folder`). Read the intervals before you
change the seed `churn_risk_settings`.
"""


def _companies(study: Study) -> str:
    return "".join(f"- {company}\n" for company in study.companies)


def _alarms(study: Study) -> list[list[str]]:
    called = study.at(*ALARMS)
    rows = []
    for months in HORIZONS:
        hits, leavers = (sum(account.left(months) for account in accounts) for accounts in (called, study.accounts))
        found = Precision(len(called), hits, 100 * leavers / len(study.accounts), leavers) if called else None
        figures = ["–"] * 4 if found is None else [_precise(found), f"{found.base_pct:.0f} %", *_lift_and_recall(found)]
        rows.append([f"{months} months", str(len(called)), str(hits), *figures])
    return rows


def _parts(study: Study) -> list[list[str]]:
    months = HORIZONS[0]
    whole = separation(study.outcomes(months))
    rows = []
    for name, weight in study.weights.items():
        rest = study.without(months, name)
        less = separation(rest)
        adds = "–" if whole is None or less is None else f"{whole - less:+.2f}".replace("-", "−")
        alone = _share(separation(study.part(months, name)))
        rows.append([name, f"{weight:.0f} %", alone, _share(less), adds, f"{precision(rest).hits:.1f}"])
    return rows


def _few(study: Study) -> str:
    """A warning if the figures of the parts rest on few accounts."""
    leavers = sum(account.left(HORIZONS[0]) for account in study.accounts)
    return "" if leavers >= FEW else f"Few accounts left ({leavers}), so these figures say little. "


def _others(study: Study) -> list[list[str]]:
    names = study.accounts[0].others
    return [
        [
            name,
            str(sum(account.others[name] is not None for account in study.accounts)),
            _share(separation(study.other(HORIZONS[0], name))),
        ]
        for name in names
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _precise(found: Precision) -> str:
    return f"{found.pct:.0f} % {_between(found.interval)}"


def _lift_and_recall(found: Precision) -> list[str]:
    return [
        "–" if found.lift is None else f"{found.lift:.1f}",
        "–" if found.recall_pct is None else f"{found.recall_pct:.0f} %",
    ]


def _row(name: str, months: int, ranking: Sequence[Outcome]) -> list[str]:
    top, parted = precision(ranking), separation(ranking)
    return [
        name,
        f"{months} months",
        str(top.called),
        f"{top.hits:.1f}",
        _precise(top),
        f"{top.base_pct:.0f} %",
        *_lift_and_recall(top),
        _share(parted),
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
    for level in (*reversed(LEVELS), None):
        accounts = study.at(level)
        if accounts:
            soon, late = (sum(account.left(months) for account in accounts) for months in HORIZONS)
            mean = sum(account.score for account in accounts) / len(accounts)
            share = f"{100 * late / len(accounts):.0f} % {_between(wilson(late, len(accounts)))}"
            rows.append([level or "unknown", str(len(accounts)), f"{mean:.0f}", str(soon), str(late), share])
    return rows


def _empty(study: Study) -> str:
    """A sentence that names the levels without accounts."""
    missing = [level for level in LEVELS if not study.at(level)]
    return f"No account had the level {' or '.join(missing)}. " if missing else ""


def _between(interval: tuple[float, float]) -> str:
    return f"({interval[0]:.0f}–{interval[1]:.0f})"


def _markdown(columns: list[str], rows: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in [columns, ["---"] * len(columns), *rows]) + "\n"
