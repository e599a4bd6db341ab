"""fct_outreach and mart_rep_activity_by_channel: messages and calls to leads, and their results."""

from __future__ import annotations

from fractions import Fraction

from tests.recompute.grouping import counted_known, grouped
from tests.recompute.known_sums import percent
from tests.recompute.months import month_end, month_of
from tests.recompute.sources import Row, SourceData, model
from tests.recompute.tenants import UNKNOWN, Tenants, days


@model
def fct_outreach(sources: SourceData) -> list[Row]:
    """The rows of fct_outreach, by outreach_id."""
    tenants = Tenants(sources)
    rows: list[Row] = []
    for sent in sources["outreach"]:
        tenant = sent["organization_id"]
        responded_at, converted_at = tenants.seen(sent["responded_at"]), tenants.seen(sent["converted_at"])
        response_time = days(sent["sent_at"], responded_at)
        rows.append(
            {
                **sent,
                **tenants.facility(tenant, sent["facility_id"]),
                **tenants.user(tenant, sent["rep_user_id"], "rep_user"),
                "responded_at": responded_at,
                "converted_at": converted_at,
                "lead_key": tenants.key("leads", tenant, sent["lead_id"]),
                "sent_date": sent["sent_at"].date(),
                "sent_month": month_of(sent["sent_at"]),
                "is_responded": responded_at is not None,
                "is_converted": converted_at is not None,
                "hours_to_response": None if response_time is None else 24 * response_time,
            }
        )
    for flag in ("is_responded", "is_converted"):
        # An organization without any answer or conversion does not record them.
        recording = {row["organization_id"] for row in rows if row[flag]}
        rows = [row | {flag: row[flag] if row["organization_id"] in recording else None} for row in rows]
    return rows


def mart_rep_activity_by_channel(sources: SourceData) -> list[Row]:
    """The rows of mart_rep_activity_by_channel. Channels are ranked for each facility, rep and month of sending."""
    tenants = Tenants(sources)
    place = ("organization_id", "facility_id", "rep_user_id", "sent_month")
    rows: list[Row] = []
    named = ({**sent, "channel": sent["channel"] or UNKNOWN} for sent in fct_outreach(sources))
    for identity, everything in grouped(named, *place).items():
        tenant, facility, rep, month = identity
        found: list[Row] = []
        for (channel,), sent in grouped(everything, "channel").items():
            responded, converted = counted_known(sent, "is_responded"), counted_known(sent, "is_converted")
            found.append(
                {
                    **dict(zip(place, identity, strict=True)),
                    "facility_name": tenants.facility_name(tenant, facility),
                    "rep_name": tenants.user_name(tenant, rep),
                    "is_complete": month_end(month) <= sources.as_of,
                    "channel": channel,
                    "sent_count": len(sent),
                    "responded_count": responded,
                    "converted_count": converted,
                    "response_rate_pct": percent(responded, len(sent)),
                    "conversion_rate_pct": percent(converted, len(sent)),
                }
            )
        for row in found:
            is_ranked = row["conversion_rate_pct"] is not None or row["response_rate_pct"] is not None
            higher = sum(_rates(other) > _rates(row) for other in found)
            rows.append({**row, "channel_rank": higher + 1 if is_ranked else None})
    return rows


def _rates(row: Row) -> tuple[Fraction, Fraction]:
    """The rates that rank a channel. An organization knows a rate of all its channels or of none."""
    return row["conversion_rate_pct"] or Fraction(0), row["response_rate_pct"] or Fraction(0)
