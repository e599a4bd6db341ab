"""The look of the web pages that the platform writes: one style, inside the page, so that it needs no network."""

from __future__ import annotations

from html import escape

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #1c2733 }
h2 { margin: 2rem 0 .4rem } small { color: #66727f; font-weight: normal }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .35rem .6rem; vertical-align: top }
tr { border-bottom: 1px solid #e3e7eb } td.n { text-align: right } a { color: #0b5cad }
b { border-radius: .6rem; padding: .05rem .55rem; font-weight: 600; white-space: nowrap }
body:has(table.wide) { max-width: 88rem } table.wide { font-size: 12px } table.wide td, table.wide th { padding: .3rem .45rem; white-space: nowrap }
.pass { background: #d9f2df } .warn { background: #fff0c2 } .quarantine { background: #eddcf7 } .block { background: #ffd6d2 }
"""


def web_page(title: str, body: str) -> str:
    """A whole HTML page.

    Args:
        title: plain text.
        body: HTML. Badges are `<b class='pass'>`, or `warn`, `quarantine`, `block`; a table of many columns is of class `wide`.
    """
    return f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title><style>{_STYLE}</style>{body}</html>\n"
