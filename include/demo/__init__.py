"""The demo company: a deterministic generator, CSV input and output, and servers that act as its source systems."""

from include.demo.company import Case, Company
from include.demo.connections import connections
from include.demo.csv_in import CsvError, read_csv
from include.demo.csv_out import write_csv
from include.demo.generator import generate

__all__ = ["Case", "Company", "CsvError", "connections", "generate", "read_csv", "write_csv"]
