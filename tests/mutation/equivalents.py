"""The committed list of mutants that change no meaning."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.mutation.project import Place


@dataclass(frozen=True)
class Equivalents:
    """Places whose mutant is known to change no meaning."""

    places: frozenset[Place]

    def __contains__(self, place: Place) -> bool:
        return place in self.places

    @classmethod
    def read(cls, path: Path, places: Sequence[Place]) -> Equivalents:
        """The places that a file lists: per model, entries of `line` (its text, or several), `before`, `after` and `reason`.

        An entry is for every place on such a line of the model; with `nth`, only for the nth of them. A line without a place is named on stderr.

        Raises:
            KeyError: an entry lacks a key.
        """
        found = set()
        for model, entries in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
            for entry in entries:
                assert entry["reason"]
                lines = entry["line"] if isinstance(entry["line"], list) else [entry["line"]]
                for line in lines:
                    wanted = (model, line, entry["before"], entry["after"])
                    same = [place for place in places if (place.model, place.source, place.before, place.mutant.after) == wanted]
                    if "nth" in entry:
                        same = same[entry["nth"] - 1 : entry["nth"]]
                    if not same:
                        print(
                            f"{path.name}: no place in {model} has {entry['before']!r} → {entry['after']!r} in {line!r}",
                            file=sys.stderr,
                        )
                    found |= set(same)
        return cls(frozenset(found))
