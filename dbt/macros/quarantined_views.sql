{#- The staging views whose rows a gate may hold in quarantine. Made by `python -m include.quality build` from the gates: do not edit. -#}
{% macro quarantined_views() %}
    {{ return([
        'stg_crm__deal_stage_history',
        'stg_crm__order_items',
        'stg_support__ticket_priority_changes',
    ]) }}
{% endmacro %}
