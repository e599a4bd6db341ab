# ruff: noqa: TID253 - nothing imports this module before a gate runs.
"""The one expectation that Great Expectations lacks. Importing this module imports Great Expectations (seconds)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from great_expectations.compatibility import pydantic
from great_expectations.core.suite_parameters import SuiteParameterDict
from great_expectations.render import LegacyRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer
from great_expectations.validator.metric_configuration import MetricConfiguration

from great_expectations.expectations.core import UnexpectedRowsExpectation
from include.quality.parameters import with_literals

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
_COUNT = "unexpected_rows_query.row_count"
# SQLAlchemy takes `:word` for a bind parameter unless the colon is escaped.
_BIND = re.compile(r"(?<![:\w\\]):(?=\w)")


class ExpectNoRows(UnexpectedRowsExpectation):  # type: ignore[misc]
    """Expect that a query finds no rows; the query may refer to the run as `@run_id`, `@as_of`, ….

    It differs from its parent in two ways: the rows are only counted, which is one query instead of two and brings no
    row into validation results or data docs; and the query names its tables itself, since rules look at several.
    """

    run: SuiteParameterDict | dict[str, str] = pydantic.Field(default_factory=dict)

    metric_dependencies: ClassVar[tuple[str, ...]] = (_COUNT,)

    @pydantic.validator("unexpected_rows_query")  # type: ignore[untyped-decorator]
    def _validate_query(cls, query: Any) -> Any:
        return query

    def get_validation_dependencies(
        self, execution_engine: ExecutionEngine | None = None, runtime_configuration: dict[str, Any] | None = None
    ) -> ValidationDependencies:
        """The one metric, its query ready to run: parameters in, what its runner would read as syntax escaped."""
        dependencies = super().get_validation_dependencies(execution_engine, runtime_configuration)
        metric = dependencies.get_metric_configuration(_COUNT)
        assert metric is not None and isinstance(self.run, dict)
        query = with_literals(str(self.unexpected_rows_query), self.run)
        query = _BIND.sub(r"\\:", query.replace("{", "{{").replace("}", "}}"))
        dependencies.set_metric_configuration(
            _COUNT,
            MetricConfiguration(
                metric_name=_COUNT,
                metric_domain_kwargs=metric.metric_domain_kwargs,
                metric_value_kwargs={"unexpected_rows_query": query},
            ),
        )
        return dependencies

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        count = int(metrics[_COUNT])
        return {"success": count == 0, "result": {"observed_value": count}}

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)  # type: ignore[untyped-decorator]
    def _prescriptive_renderer(
        cls,
        configuration: ExpectationConfiguration | None = None,
        result: ExpectationValidationResult | None = None,
        runtime_configuration: dict[str, Any] | None = None,
        **_: Any,
    ) -> list[RenderedStringTemplateContent]:
        """In data docs: the rule's name, what its breach does and why, then the query."""
        config = configuration or (result.expectation_config if result else None)
        assert config is not None
        params = {key: str(config.meta.get(key, "")) for key in ("name", "action", "reason")}
        params["query"] = str(config.kwargs["unexpected_rows_query"])
        template = {"template": "$name ($action): $reason $query", "params": params, "styling": _STYLING}
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=template)]
