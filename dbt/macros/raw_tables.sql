{#- The raw tables: the columns of their keys, the column of the last change, which versions a run sees, and the order of a
    key's versions. Generated from include/sources/*.yml by `python -m include.sources dbt-sources`: do not edit. -#}
{% macro raw_tables() %}
    {{ return({
        'billing.subscriptions': {
            'key': ['organization_id', 'subscription_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'billing.invoices': {
            'key': ['organization_id', 'invoice_id'],
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
            'key': ['organization_id', 'facility_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.users': {
            'key': ['organization_id', 'user_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.accounts': {
            'key': ['organization_id', 'account_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.contacts': {
            'key': ['organization_id', 'contact_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.products': {
            'key': ['organization_id', 'product_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.leads': {
            'key': ['organization_id', 'lead_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.deals': {
            'key': ['organization_id', 'deal_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.deal_stage_history': {
            'key': ['organization_id', 'history_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.activities': {
            'key': ['organization_id', 'activity_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.outreach': {
            'key': ['organization_id', 'outreach_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.orders': {
            'key': ['organization_id', 'order_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.order_items': {
            'key': ['organization_id', 'order_item_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'crm.compliance_checks': {
            'key': ['organization_id', 'check_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'product.usage_events': {
            'key': ['organization_id', 'event_id'],
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
            'key': ['organization_id', 'ticket_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'support.ticket_priority_changes': {
            'key': ['organization_id', 'change_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'support.ticket_categories': {
            'key': ['organization_id', 'category_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'support.root_causes': {
            'key': ['organization_id', 'root_cause_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
        'support.survey_responses': {
            'key': ['organization_id', 'response_id'],
            'changed_at': 'updated_at',
            'visible': '(updated_at < @as_of or updated_at is null)',
            'latest_first': 'updated_at desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc',
        },
    }) }}
{% endmacro %}
