"""The cost of the platform on BigQuery: bytes billed and the limits that it reaches first, computed from the statements that it sends.

`make cost` prints the tables, and can write them into docs/cost.md.
"""
