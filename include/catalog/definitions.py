"""Reads the metric definitions of `docs/metrics.md`, and finds the models that compute each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from include.catalog.nodes import one_line
from include.manifest import Manifest, Node, nodes_of
from include.settings import ROOT

DEFINITIONS = ROOT / "docs" / "metrics.md"

# A bullet with its continuation lines and the list under it. `- Roll-up: …` defines Roll-up, and `- **NRR** = …` defines NRR.
_BULLET = re.compile(r"^- (.*(?:\n {2}.*)*)", re.MULTILINE)
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_LEADING = re.compile(r"([A-Z][\w-]*): ")
# The end of a wrapped line. The lines of a list stay apart.
_WRAP = re.compile(r"\n(?! *- ) *")
_NAMED = re.compile(r"\bDefinitions?: (.+?)\.(?:\s|$)")


class DefinitionError(Exception):
    """A model names a definition that does not exist or is ambiguous."""


@dataclass(frozen=True)
class Definition:
    """One definition, as Markdown. Its page is named after its first term."""

    section: str
    terms: tuple[str, ...]
    text: str

    @property
    def anchor(self) -> str:
        """The link anchor of its section in `docs/metrics.md`."""
        return self.section.lower().replace(" ", "-")

    @property
    def page(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", _bare(self.terms[0]).lower()).strip("-") + ".md"


def read_definitions(source: str) -> list[Definition]:
    """The definitions of a Markdown page, in its order. Bullets without a term and golden cases are skipped."""
    found = []
    for part in source.split("\n## ")[1:]:
        section, _, body = part.partition("\n")
        for bullet in _BULLET.findall(body):
            leading = _LEADING.match(bullet)
            terms = _BOLD.findall(bullet) or ([leading[1]] if leading and leading[1] != "Golden" else [])
            if terms:
                found.append(Definition(section.strip(), tuple(terms), _WRAP.sub(" ", bullet)))
    return found


def definitions_of(node: Node, definitions: list[Definition]) -> list[Definition]:
    """The definitions that a model's description names after `Definition:`.

    A name may be a shorter form of a term: its first whole words.

    Raises:
        DefinitionError: a name matches no definition, or more than one.
    """
    named = [_bare(name) for names in _NAMED.findall(one_line(node["description"])) for name in _bare(names).split(",")]
    found: dict[Definition, None] = {}
    for name in filter(None, named):
        matching = [d for d in definitions if any(_begins(_bare(term), name) for term in d.terms)]
        exact = [d for d in matching if any(_bare(term).lower() == name.lower() for term in d.terms)]
        if len(exact or matching) != 1:
            raise DefinitionError(
                f"{node['name']} names the definition '{name}', which {DEFINITIONS.relative_to(ROOT)} has {len(exact or matching)} times: "
                "write one of its terms after `Definition:` in the model's description"
            )
        found[(exact or matching)[0]] = None
    return list(found)


def metrics_of(node: Node) -> list[Definition]:
    """The definitions of `docs/metrics.md` that a model computes. Empty if that file is not installed."""
    return definitions_of(node, _installed()) if DEFINITIONS.exists() else []


@lru_cache
def _installed() -> list[Definition]:
    return read_definitions(DEFINITIONS.read_text(encoding="utf-8"))


def computed_by(manifest: Manifest, definitions: list[Definition]) -> dict[Definition, list[Node]]:
    """Definition → the models that compute it, sorted by name. Definitions without a model are left out."""
    models = sorted(nodes_of(manifest, "model"), key=lambda n: str(n["name"]))
    named = {node["unique_id"]: definitions_of(node, definitions) for node in models}
    by_definition = {d: [node for node in models if d in named[node["unique_id"]]] for d in definitions}
    return {definition: found for definition, found in by_definition.items() if found}


def _bare(term: str) -> str:
    return re.sub(r"\s*\([^)]*\)", "", term).strip()


def _begins(term: str, name: str) -> bool:
    return f"{term.lower()} ".startswith(f"{name.lower()} ")
