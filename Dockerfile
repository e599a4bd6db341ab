# The platform's image: every Airflow component runs it. Build context: the project's root.
FROM python:3.12-slim-bookworm

RUN apt-get update \
    && apt-get install --yes --no-install-recommends curl git libpq5 tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 50000 --create-home airflow

WORKDIR /opt/platform
COPY requirements.txt requirements-dev.txt ./
RUN pip install --no-cache-dir "$(grep '^uv==' requirements-dev.txt | cut -d' ' -f1)" \
    && uv pip install --system --no-cache --compile-bytecode -r requirements.txt

ENV AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/platform/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    PLATFORM_STATE_DIR=/opt/airflow/state \
    PYTHONPATH=/opt/platform

COPY --chown=airflow:airflow dags dags
COPY --chown=airflow:airflow include include
COPY --chown=airflow:airflow great_expectations/figures.yml great_expectations/figures.yml
COPY --chown=airflow:airflow great_expectations/gates great_expectations/gates
COPY --chown=airflow:airflow dbt dbt
COPY --chown=airflow:airflow docs/metrics.md docs/metrics.md

# The DAGs need dbt's manifest. It is part of the image, so that parsing a DAG never runs dbt.
RUN mkdir -p /opt/airflow/state /opt/airflow/logs \
    && chown -R airflow:airflow /opt/airflow /opt/platform
USER airflow
RUN dbt parse --project-dir dbt --profiles-dir dbt --profile customer_intelligence --target warehouse \
    && python -c "from include.transform import write_node_manifests; write_node_manifests()"

ENTRYPOINT ["/usr/bin/tini", "--", "airflow"]
CMD ["version"]
