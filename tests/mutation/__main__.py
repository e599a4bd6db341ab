"""Changes the SQL of models and macros one place at a time, and reports the changes that no unit test notices.

    .venv/bin/python -m tests.mutation --model fct_orders
    .venv/bin/python -m tests.mutation --limit 200 --seed 1
    .venv/bin/python -m tests.mutation --folders

- killed: the rows of a unit test differ from those without the change, or its query fails at run time.
- invalid: the warehouse refuses the change before it reads a row. The change does not count.
- unreached: no unit test compiles the changed SQL. In a model the change counts as survived. In a macro it is only counted by itself, because
  macros that only MERGEs, snapshots or generic tests use have tests of another kind.

Results are kept in .local/mutation by the SQL of the test without and with the change. So a second run asks the warehouse only what is new.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from include.local.home import make_local_home
from tests.google.warehouses import embedded
from tests.mutation.equivalents import Equivalents
from tests.mutation.mutants import OPERATORS
from tests.mutation.project import Dbt, Place, UnitTest, mark
from tests.mutation.trials import Trials

AS_OF = "2026-10-01"
OUTCOMES = ("killed", "survived", "equivalent", "unreached", "invalid")


@dataclass(frozen=True)
class Result:
    """The result of a mutant; `outcome` is one of OUTCOMES."""

    place: Place
    outcome: str

    def is_missed(self) -> bool:
        """Whether tests should have noticed the mutant and did not."""
        return self.outcome == "survived" or (self.outcome == "unreached" and not self.place.is_macro)

    def line(self) -> str:
        place = self.place
        before = " ".join(place.before.split()) or "(nothing)"
        return f"{place.file}:{place.line}: {before} → {place.mutant.after or '(nothing)'} [{self.outcome}]  in: {place.source}"

    def as_json(self) -> dict[str, object]:
        place = self.place
        return {
            "model": place.model,
            "file": place.file,
            "line": place.line,
            "source": place.source,
            "operator": place.mutant.operator,
            "before": place.before,
            "after": place.mutant.after,
            "outcome": self.outcome,
        }


def main() -> int:
    """Run the mutants; returns the exit code."""
    options = _options()
    home = make_local_home() / "mutation"
    places = mark(home / "project")
    equivalents = Equivalents.read(options.equivalents, places)
    chosen = _chosen(
        [place for place in places if place.mutant.operator in (options.operator or OPERATORS)],
        options.model,
        options.limit,
        options.seed,
    )
    with embedded(home / "warehouse") as warehouse:
        trials = Trials(warehouse.prepare(), home / "results.jsonl")
        tests = _unit_tests(Dbt(home, AS_OF), chosen)
        results = []
        for number, place in enumerate(chosen, 1):
            results.append(Result(place, "equivalent" if place in equivalents else _try(place, tests, trials)))
            if results[-1].is_missed():
                print(results[-1].line(), flush=True)
            if sys.stderr.isatty():
                print(f"\r{number} of {len(chosen)}", end="\r", file=sys.stderr, flush=True)
    if options.json:
        options.json.write_text(
            json.dumps([result.as_json() for result in results], indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    share = _report(results, "folder" if options.folders else "model")
    return 1 if share < options.least else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model",
        nargs="+",
        metavar="NAME",
        help="models, files of dbt/macros without .sql, or folders such as core/revenue; default: all",
    )
    parser.add_argument("--folders", action="store_true", help="print a table by folder instead of one by model")
    parser.add_argument("--operator", nargs="+", metavar="KIND", help=f"only these kinds of change: {', '.join(OPERATORS)}")
    parser.add_argument("--limit", type=int, metavar="N", help="only N mutants, chosen at random")
    parser.add_argument("--seed", type=int, default=1, help="of the choice (default: %(default)s)")
    parser.add_argument(
        "--equivalents",
        type=Path,
        default=Path(__file__).with_name("equivalents.yml"),
        metavar="FILE",
        help="mutants that change no meaning, with reasons (default: tests/mutation/equivalents.yml)",
    )
    parser.add_argument("--least", type=float, default=0, metavar="PERCENT", help="exit with 1 if a smaller share is killed")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all results to FILE")
    return parser.parse_args()


def _chosen(places: Sequence[Place], names: Sequence[str] | None, limit: int | None, seed: int) -> list[Place]:
    unknown = [name for name in names or () if not any(place.is_in(name) for place in places)]
    if unknown:
        sys.exit(f"No mutants in {', '.join(unknown)}: name models, files of dbt/macros, or folders, that have SQL to change.")
    found = [place for place in places if not names or any(place.is_in(name) for name in names)]
    if limit is not None and limit < len(found):
        return sorted(random.Random(seed).sample(found, limit), key=lambda place: (place.file, place.mutant.start))
    return found


def _unit_tests(dbt: Dbt, chosen: Sequence[Place]) -> list[UnitTest]:
    """The unit tests that can notice the chosen mutants: those of their models, or all for a macro."""
    models = None if any(place.is_macro for place in chosen) else sorted({place.model for place in chosen})
    dbt.build_inputs(models)
    return dbt.unit_tests(models)


def _try(place: Place, tests: Sequence[UnitTest], trials: Trials) -> str:
    queries = [(test.sql, mutated) for test in tests if (mutated := test.mutated(place)) is not None]
    if not queries:
        return "unreached"
    outcome = "survived"
    for original, mutated in queries:
        found = trials.outcome(original, mutated)
        if found == "killed":
            return found
        outcome = found if found == "invalid" else outcome
    return outcome


def _report(results: Sequence[Result], level: str) -> float:
    """Print a Markdown table of the outcomes by `model` or `folder`; returns the killed share of those that count, in percent."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for result in results:
        for name in (getattr(result.place, level), "all"):
            counts[name][result.outcome] += 1
            counts[name]["missed"] += result.is_missed()
    names = [*sorted(counts.keys() - {"all"}), "all"]
    width = max(map(len, [*names, level]))
    print(f"\n| {level:{width}} | mutants | {' | '.join(OUTCOMES)} | killed share |")
    print(f"|{'-' * (width + 2)}|{'--:|' * (len(OUTCOMES) + 2)}")
    for name in names:
        cells = [counts[name].total() - counts[name]["missed"], *(counts[name][outcome] for outcome in OUTCOMES)]
        print(f"| {name:{width}} | {' | '.join(f'{cell:,}' for cell in cells)} | {_share(counts[name]):.1f} % |")
    return _share(counts["all"])


def _share(counts: Counter[str]) -> float:
    counted = counts["killed"] + counts["missed"]
    return 100 * counts["killed"] / counted if counted else 100.0


if __name__ == "__main__":
    sys.exit(main())
