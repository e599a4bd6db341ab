{#- Stands for the code of the model that is being built, so that an incremental model can tell rows made by older code. -#}
{% macro code_fingerprint() -%}
    {{- local_md5(model.raw_code)[:8] -}}
{%- endmacro %}


{#- For the post-hook of an incremental model: removes rows whose key its source no longer shows (deleted at the source, or
    held in quarantine), which a MERGE of changed rows cannot see. Nothing to do after a full refresh. -#}
{% macro delete_rows_gone_from(relation, key) -%}
    {%- if is_incremental() -%}
        delete from {{ this }} as built
        where not exists (
            select 1
            from {{ relation }} as shown
            where
                {%- for column in key %}
                {{ 'and ' if not loop.first }}shown.{{ column }} = built.{{ column }}
                {%- endfor %}
        )
    {%- endif -%}
{%- endmacro %}
