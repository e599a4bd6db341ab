# ruff: noqa: TID253, S608 - nothing imports this module before a gate runs; SQL is made of the platform's own rules, never of data.
"""The platform's own expectations: all of one suite run as one statement. Importing this module imports Great Expectations (seconds)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from great_expectations.compatibility import pydantic
from great_expectations.compatibility.sqlalchemy import sqlalchemy
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.core.suite_parameters import SuiteParameterDict
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.render import LegacyRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer
from great_expectations.validator.metric_configuration import MetricConfiguration

from include.quality.parameters import with_literals
from include.quality.reconciliation import differing, read, sides_query

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.execution_engine import ExecutionEngine
    from great_expectations.expectations.expectation import ValidationDependencies
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

# The query on a line of its own, as it is written.
_STYLING = {
    "default": {"classes": ["badge", "badge-secondary"]},
    "params": {
        "reason": {"classes": []},
        "query": {"tag": "pre", "classes": ["mt-2", "text-muted"]},
    },
}
_VALUE = "query.value"


class QueryValue(TableMetricProvider):  # type: ignore[misc]
    """The one value that a query returns.

    It is declared as an aggregate, although the query names its tables itself. Great Expectations computes all aggregates of a suite in
    one statement, so BigQuery bills each table once. If the statement is refused, it computes each aggregate by itself.
    """

    metric_name = _VALUE
    value_keys = ("query",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )  # type: ignore[untyped-decorator]
    def _sqlalchemy(
        cls, metric_domain_kwargs: dict[str, Any], metric_value_kwargs: dict[str, Any], **_: Any
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        return sqlalchemy.literal_column(f"(\n{metric_value_kwargs['query']}\n)"), metric_domain_kwargs, {}


class _OfQuery(BatchExpectation, ABC):  # type: ignore[misc]
    """An expectation on the result of a query. The query may refer to the run as `@run_id`, `@as_of`, …."""

    query: str
    run: SuiteParameterDict | dict[str, str] = pydantic.Field(default_factory=dict)

    metric_dependencies: ClassVar[tuple[str, ...]] = (_VALUE,)

    @abstractmethod
    def _value_query(self) -> str:
        """SQL that returns the one value to check."""

    def get_validation_dependencies(
        self, execution_engine: ExecutionEngine | None = None, runtime_configuration: dict[str, Any] | None = None
    ) -> ValidationDependencies:
        """The one metric. Its query has the run's values and begins with the rule's name."""
        dependencies = super().get_validation_dependencies(execution_engine, runtime_configuration)
        metric = dependencies.get_metric_configuration(_VALUE)
        assert metric is not None and isinstance(self.run, dict) and self.meta is not None
        query = f"-- {self.meta['gate']}.{self.meta['name']}\n{with_literals(self._value_query(), self.run)}"
        dependencies.set_metric_configuration(
            _VALUE,
            MetricConfiguration(
                metric_name=_VALUE,
                metric_domain_kwargs=metric.metric_domain_kwargs,
                metric_value_kwargs={"query": query},
            ),
        )
        return dependencies

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)  # type: ignore[untyped-decorator]
    def _prescriptive_renderer(
        cls,
        configuration: ExpectationConfiguration | None = None,
        result: ExpectationValidationResult | None = None,
        runtime_configuration: dict[str, Any] | None = None,
        **_: Any,
    ) -> list[RenderedStringTemplateContent]:
        """For the data docs: the rule's name, its action and reason, then the query."""
        config = configuration or (result.expectation_config if result else None)
        assert config is not None
        params = {key: str(config.meta.get(key, "")) for key in ("name", "relation", "action", "reason")}
        params["query"] = str(config.kwargs["query"])
        template = {"template": "$name on $relation ($action): $reason $query", "params": params, "styling": _STYLING}
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=template)]


class ExpectNoRows(_OfQuery):
    """Expect that a query finds no rows. Rows are only counted, so none appears in validation results or data docs."""

    def _value_query(self) -> str:
        return f"select count(*) from (\n{self.query}\n) as broken"

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        count = int(metrics[_VALUE])
        return {"success": count == 0, "result": {"observed_value": count}}


class ExpectSidesToAgree(_OfQuery):
    """Expect that no difference between the two sides of a reconciliation exceeds the tolerance. The result contains the sides."""

    tolerance: float

    def _value_query(self) -> str:
        return sides_query(self.query)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        sides = read(metrics[_VALUE])
        broken = differing(sides, self.tolerance)
        result = {
            "observed_value": len(broken),
            "partial_unexpected_list": [side["part"] for side in broken[:20]],
            "details": {"sides": sides},
        }
        return {"success": not broken, "result": result}
