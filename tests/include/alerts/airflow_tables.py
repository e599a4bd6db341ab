"""Airflow's own tables in an AIRFLOW_HOME of their own, with DAGs in them as its processor writes them."""

from __future__ import annotations

from airflow.models.dagbundle import DagBundleModel
from airflow.models.serialized_dag import SerializedDagModel
from airflow.sdk import DAG
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.utils.db import initdb
from airflow.utils.session import create_session


def register(*dags: DAG) -> None:
    """Make the tables, and write DAGs into them."""
    initdb()
    with create_session() as session:
        session.add(DagBundleModel(name="dags"))
        session.flush()
        SerializedDAG.bulk_write_to_db("dags", None, list(dags), session=session)
        for dag in dags:
            SerializedDagModel.write_dag(LazyDeserializedDAG.from_dag(dag), bundle_name="dags", session=session)
