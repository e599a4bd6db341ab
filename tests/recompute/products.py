"""dim_products, fct_order_items and mart_product_performance: products, order lines, and sales by product and month."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from tests.recompute.grouping import grouped, total
from tests.recompute.months import month_end, month_of
from tests.recompute.orders import NOT_REVENUE
from tests.recompute.sources import Row, SourceData, model
from tests.recompute.tenants import UNKNOWN, Tenants, share

# Tier and its upper bound, exclusive. The first tier that fits applies.
PRICE_TIERS = (("budget", 50), ("mid-range", 200), ("premium", 1000))


def price_tier(price: Fraction | None) -> str | None:
    """The tier of a unit price in the reporting currency; None if the price is unknown."""
    if price is None:
        return None
    return next((tier for tier, bound in PRICE_TIERS if price < bound), "luxury")


def inventory_status(stock: int | None, reorder_level: int | None) -> str:
    """The stock status of a product: out_of_stock, low or in_stock; unknown without a stock figure."""
    if stock is None:
        return UNKNOWN
    if stock <= 0:
        return "out_of_stock"
    return "low" if reorder_level is not None and stock <= reorder_level else "in_stock"


@model
def dim_products(sources: SourceData) -> list[Row]:
    """The rows of dim_products, by product_id."""
    tenants = Tenants(sources)
    today = (sources.as_of - timedelta(microseconds=1)).date()
    rows: list[Row] = []
    for product in sources["products"]:
        tenant, price = product["organization_id"], product["unit_price"]
        margin = price - product["unit_cost"]
        converted = tenants.convert(price, product["currency"], tenant, today)
        rows.append(
            {
                **product,
                "product_name": product["name"],
                "product_category": product["category"],
                "reporting_currency": tenants.reporting_currency(tenant),
                "unit_price_reporting": converted,
                "margin_amount": margin,
                "margin_pct": share(Fraction(margin), Fraction(price)),
                "price_tier": price_tier(converted),
                "inventory_status": inventory_status(product["stock_quantity"], product["reorder_level"]),
            }
        )
    return rows


def _order_discount(order: Row, line: Row) -> Fraction | None:
    """The part of an order's own discount that falls on a line, by the line's share of the subtotal; None if nobody knows the share."""
    if not order["discount_amount"]:
        return Fraction(0)
    if not order["subtotal_amount"] or line["line_amount"] is None:
        return None
    return Fraction(order["discount_amount"]) * Fraction(line["line_amount"]) / Fraction(order["subtotal_amount"])


@model
def fct_order_items(sources: SourceData) -> list[Row]:
    """The rows of fct_order_items, by order_item_id. A line of an unknown order is left out, because it is in quarantine."""
    tenants = Tenants(sources)
    rows: list[Row] = []
    for item in sources["order_items"]:
        tenant = item["organization_id"]
        order = tenants.row("orders", tenant, item["order_id"])
        product = tenants.row("products", tenant, item["product_id"])
        if order is None:
            continue
        cost, day = None, order["ordered_at"].date()
        line = tenants.convert(item["line_amount"], order["currency"], tenant, day)
        discount = _order_discount(order, item)
        net = None if item["line_amount"] is None or discount is None else Fraction(item["line_amount"]) - discount
        revenue = tenants.convert(net, order["currency"], tenant, day)
        if product is not None:
            cost = tenants.convert(product["unit_cost"] * item["quantity"], product["currency"], tenant, day)
        rows.append(
            {
                **item,
                "order_key": tenants.key("orders", tenant, item["order_id"]),
                "product_key": tenants.key("products", tenant, item["product_id"]),
                "account_id": order["account_id"],
                "account_key": tenants.key("accounts", tenant, order["account_id"]),
                "currency": order["currency"],
                "reporting_currency": tenants.reporting_currency(tenant),
                "line_amount_reporting": line,
                "order_discount_amount": discount,
                "net_amount": net,
                "net_amount_reporting": revenue,
                "cost_amount": product["unit_cost"] * item["quantity"] if product else None,
                "cost_currency": product["currency"] if product else None,
                "cost_amount_reporting": cost,
                "has_rate": revenue is not None,
                "is_revenue": order["status"] not in NOT_REVENUE,
                "ordered_date": order["ordered_at"].date(),
                "ordered_month": month_of(order["ordered_at"]),
            }
        )
    return rows


def _sold(lines: list[Row]) -> Row:
    """The sales figures from the order lines of one product and month."""
    revenue = [line for line in lines if line["is_revenue"]]
    counting = [line for line in revenue if line["has_rate"]]
    costed = [line for line in counting if line["cost_amount_reporting"] is not None]
    amount, units = total(counting, "net_amount_reporting"), sum(line["quantity"] for line in counting)
    costed_amount, cost = total(costed, "net_amount_reporting"), total(costed, "cost_amount_reporting")
    return {
        "order_count": len({line["order_id"] for line in counting}),
        "customer_count": len({line["account_id"] for line in counting} - {None}),
        "line_count": len(counting),
        "lines_without_rate": len(revenue) - len(counting),
        "lines_without_cost": len(counting) - len(costed),
        "excluded_line_count": len(lines) - len(revenue),
        "units_sold": units,
        "revenue_amount": amount,
        "order_discount_amount": total(counting, "line_amount_reporting") - amount,
        "average_unit_revenue": amount / units if units else None,
        "costed_revenue_amount": costed_amount,
        "cost_amount": cost,
        "margin_amount": costed_amount - cost,
        "margin_pct": share(costed_amount - cost, costed_amount),
    }


@model
def mart_product_performance(sources: SourceData) -> list[Row]:
    """The rows of mart_product_performance, by product and month of order."""
    tenants = Tenants(sources)
    products = {(row["organization_id"], row["product_id"]): row for row in dim_products(sources)}
    last = (sources.as_of - timedelta(microseconds=1)).date()
    lines = [
        {**line, "product_id": line["product_id"] or UNKNOWN, "month": line["ordered_month"]}
        for line in fct_order_items(sources)
        if line["ordered_date"] is not None and line["ordered_date"] <= last
    ]
    rows: list[Row] = []
    for (tenant, month), sold in grouped(lines, "organization_id", "month").items():
        figures = {product: _sold(own) for (product,), own in grouped(sold, "product_id").items()}
        everything = sum((row["revenue_amount"] for row in figures.values()), Fraction(0))
        for identity, row in figures.items():
            product = products.get((tenant, identity), {})
            better = sum(other["revenue_amount"] > row["revenue_amount"] for other in figures.values())
            rows.append(
                {
                    **{name: product.get(name) for name in ("sku", "price_tier", "inventory_status", "stock_quantity")},
                    **{name: product.get(name) or UNKNOWN for name in ("product_name", "product_category", "product_type")},
                    "organization_id": tenant,
                    "product_id": identity,
                    "product_key": tenants.key("products", tenant, identity),
                    "month": month,
                    "is_complete": month_end(month) <= sources.as_of,
                    "reporting_currency": tenants.reporting_currency(tenant),
                    **row,
                    "revenue_share_pct": share(row["revenue_amount"], everything),
                    "revenue_rank": better + 1,
                }
            )
    return rows
