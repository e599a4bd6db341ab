"""demo_cases.md: lists the rows of each edge case."""

from __future__ import annotations

from include.demo.company import Case, Company, Where

_WHERE: dict[Where, str] = {
    "table": "in the table",
    "gone": "deleted: in no table any more",
    "landing": "in the landing folder's files",
    "answer": "twice in the HTTP answer",
}


def cases_document(company: Company) -> str:
    """The Markdown document with the rows of every labelled case, one table per case."""
    as_of = f" as of {company.as_of:%Y-%m-%d %H:%M} UTC" if company.as_of else ""
    lines = [
        "# Edge cases of the demo company",
        "",
        f"Rows that break naive SQL, and what to see in each{as_of}. Keys are those of the table's primary key.",
    ]
    titles: dict[str, list[Case]] = {}
    for case in company.cases:
        titles.setdefault(case.title, []).append(case)
    for title in sorted(titles):
        lines += ["", f"## {title[0].upper()}{title[1:]}", "", "| table | key | where | what to see |", "|---|---|---|---|"]
        lines += [f"| {case.table} | `{case.key}` | {_WHERE[case.where]} | {case.see} |" for case in titles[title]]
    return "\n".join(lines) + "\n"
