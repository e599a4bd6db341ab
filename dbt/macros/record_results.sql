{% macro create_platform_tables() %}{% endmacro %}
{% macro record_results(results) %}{% endmacro %}
