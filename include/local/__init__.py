"""The local stack behind the Makefile: warehouse, demo systems and Airflow as processes of one command."""
