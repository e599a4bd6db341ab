{#- Every visible version of every row of a raw table, one per `updated_at`: the body of a history model's import CTE. Of versions with the same
    `updated_at` the one counts that staging would show (macro latest_rows), so that the last version of a row is staging's row, or the tombstone that removed it.
    Empty texts and case stay as landed. -#}
{% macro all_versions(source_name, table_name, key) -%}
    select *
    from {{ source(source_name, table_name) }} as landed
    where
        updated_at < {{ as_of() }}
    qualify
        row_number() over (
            partition by {{ key | join(', ') }}, updated_at
            order by _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc
        ) = 1
{%- endmacro %}
