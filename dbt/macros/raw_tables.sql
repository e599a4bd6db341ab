{#- The raw tables: the columns of their keys, the column of the last change, which versions a run sees, and the order of a
    key's versions. Generated from include/sources/*.yml by `python -m include.sources dbt-sources`: do not edit. -#}
{% macro raw_tables() %}
    {{ return({
        'billing.subscriptions': {
            'key': ['subscription_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'billing.invoices': {
            'key': ['invoice_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.organizations': {
            'key': ['organization_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.facilities': {
            'key': ['facility_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.users': {
            'key': ['user_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.accounts': {
            'key': ['account_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.contacts': {
            'key': ['contact_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.products': {
            'key': ['product_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.leads': {
            'key': ['lead_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.deals': {
            'key': ['deal_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.deal_stage_history': {
            'key': ['history_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.activities': {
            'key': ['activity_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.outreach': {
            'key': ['outreach_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.orders': {
            'key': ['order_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.order_items': {
            'key': ['order_item_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.compliance_checks': {
            'key': ['check_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'product.usage_events': {
            'key': ['event_id'],
            'changed_at': None,
            'visible': "(occurred_at < @as_of or occurred_at is null) and coalesce(_batch_id <= concat('product@', format_timestamp('%Y-%m-%dT%H%M%SZ', @as_of)) or _batch_id = (select min_by(_batch_id, _loaded_at) from raw_product.usage_events), true)",
            'latest_first': '_extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'reference.fx_rates': {
            'key': ['rate_date', 'currency'],
            'changed_at': None,
            'visible': '(timestamp(rate_date) < @as_of or timestamp(rate_date) is null)',
            'latest_first': '_extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'reference.business_hours': {
            'key': ['organization_id', 'weekday', 'opens_at', 'valid_from'],
            'changed_at': None,
            'visible': 'true',
            'latest_first': '_extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'reference.holidays': {
            'key': ['organization_id', 'holiday_date'],
            'changed_at': None,
            'visible': 'true',
            'latest_first': '_extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'reference.sla_policies': {
            'key': ['organization_id', 'priority', 'valid_from'],
            'changed_at': None,
            'visible': 'true',
            'latest_first': '_extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'support.tickets': {
            'key': ['ticket_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'support.ticket_priority_changes': {
            'key': ['change_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'support.ticket_categories': {
            'key': ['category_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'support.root_causes': {
            'key': ['root_cause_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'support.survey_responses': {
            'key': ['response_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
    }) }}
{% endmacro %}
