"""Reads a company's tables from a folder of CSV files by the input contract, and names every fault by file, line and column."""

from include.csv_data.problems import Problem, grouped, listed
from include.csv_data.reading import Folder, Rows, read_folder, tables_without_rows

__all__ = ["Folder", "Problem", "Rows", "grouped", "listed", "read_folder", "tables_without_rows"]
