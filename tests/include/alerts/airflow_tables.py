"""Creates Airflow's metadata tables in a separate AIRFLOW_HOME, and stores DAGs there like Airflow's DAG processor."""

from __future__ import annotations

from airflow.models.dagbundle import DagBundleModel
from airflow.models.serialized_dag import SerializedDagModel
from airflow.sdk import DAG
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.utils.db import initdb
from airflow.utils.session import create_session


def register(*dags: DAG) -> None:
    """Create the tables and store the DAGs."""
    initdb()
    with create_session() as session:
        session.add(DagBundleModel(name="dags"))
        session.flush()
        SerializedDAG.bulk_write_to_db("dags", None, list(dags), session=session)
        for dag in dags:
            SerializedDagModel.write_dag(LazyDeserializedDAG.from_dag(dag), bundle_name="dags", session=session)
