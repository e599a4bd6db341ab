"""What the platform costs on BigQuery: bytes billed and the limits that come first, counted from the statements that it sends.

`make cost` prints it; docs/cost.md is made from it.
"""
