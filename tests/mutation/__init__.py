"""Mutation tests of the SQL in dbt/models and dbt/macros: `.venv/bin/python -m tests.mutation --help`."""
