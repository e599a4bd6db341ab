"""dim_products, fct_order_items and mart_product_performance: products, order lines, and sales by product and month."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from tests.recompute.grouping import counted_known, grouped, known, total
from tests.recompute.known_sums import difference, distinct_of, is_counted, percent, ratio, sum_of, total_known
from tests.recompute.months import month_end, month_of
from tests.recompute.orders import counts_as_revenue
from tests.recompute.sources import Row, SourceData, model
from tests.recompute.tenants import UNKNOWN, Tenants

# Tier and its upper bound, exclusive. The first tier that fits applies.
PRICE_TIERS = (("budget", 50), ("mid-range", 200), ("premium", 1000))


def price_tier(price: Fraction | None) -> str | None:
    """The tier of a unit price in the reporting currency; None if the price is unknown."""
    if price is None:
        return None
    return next((tier for tier, bound in PRICE_TIERS if price < bound), "luxury")


def inventory_status(stock: int | None, reorder_level: int | None) -> str:
    """The stock status of a product: out_of_stock, low or in_stock; unknown without a stock, or with stock and no reorder level."""
    if stock is not None and stock <= 0:
        return "out_of_stock"
    if stock is None or reorder_level is None:
        return UNKNOWN
    return "low" if stock <= reorder_level else "in_stock"


@model
def dim_products(sources: SourceData) -> list[Row]:
    """The rows of dim_products, by product_id."""
    tenants = Tenants(sources)
    today = (sources.as_of - timedelta(microseconds=1)).date()
    rows: list[Row] = []
    for product in sources["products"]:
        tenant, price = product["organization_id"], product["unit_price"]
        margin = difference(price, product["unit_cost"])
        converted = tenants.convert(price, product["currency"], tenant, today)
        rows.append(
            {
                **product,
                "product_name": product["name"],
                "product_category": product["category"],
                "reporting_currency": tenants.reporting_currency(tenant),
                "unit_price_reporting": converted,
                "margin_amount": margin,
                "margin_pct": percent(margin, price),
                "price_tier": price_tier(converted),
                "inventory_status": inventory_status(product["stock_quantity"], product["reorder_level"]),
            }
        )
    return rows


def product_of(first: Decimal | None, second: int | None) -> Decimal | None:
    """`first` × `second`; None if either is unknown."""
    return None if first is None or second is None else first * second


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
        paid = None if product is None else product_of(product["unit_cost"], item["quantity"])
        if product is not None:
            cost = tenants.convert(paid, product["currency"], tenant, day)
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
                "cost_amount": paid,
                "cost_currency": product["currency"] if product else None,
                "cost_amount_reporting": cost,
                "has_rate": revenue is not None,
                "is_revenue": counts_as_revenue(order),
                "ordered_date": order["ordered_at"].date(),
                "ordered_month": month_of(order["ordered_at"]),
            }
        )
    return rows


def _sold(lines: list[Row]) -> Row:
    """The sales figures from the order lines of one product and month."""
    lines = [_measured(line) for line in lines]
    counting = [line for line in lines if line["is_counted"]]
    units, costed, cost = (sum_of(lines, "is_revenue", name) for name in ("units", "costed_amount", "cost"))
    return {
        "order_count": distinct_of(lines, "is_counted", "order_id"),
        "customer_count": distinct_of(lines, "is_counted", "account_id"),
        "line_count": counted_known(lines, "is_counted"),
        "lines_without_rate": sum(bool(line["is_revenue"]) and not line["has_rate"] for line in lines),
        "lines_without_status": sum(line["is_revenue"] is None for line in lines),
        "lines_without_cost": sum(line["cost_amount_reporting"] is None for line in counting),
        "excluded_line_count": counted_known(lines, "is_excluded"),
        "units_sold": units,
        "revenue_amount": sum_of(lines, "is_revenue", "net_amount_reporting"),
        "order_discount_amount": sum_of(lines, "is_revenue", "discount"),
        "average_unit_revenue": ratio(
            total_known([line for line in counting if line["quantity"] is not None], "net_amount_reporting"), units
        ),
        "costed_revenue_amount": costed,
        "cost_amount": cost,
        "margin_amount": difference(costed, cost),
        "margin_pct": percent(difference(costed, cost), costed),
    }


def _measured(line: Row) -> Row:
    """A line with what it adds to each figure: None if it does not say it."""
    net, cost = line["net_amount_reporting"], line["cost_amount_reporting"]
    return {
        **line,
        "is_counted": is_counted(line),
        "is_excluded": None if line["is_revenue"] is None else not line["is_revenue"],
        "discount": difference(line["line_amount_reporting"], net),
        "units": line["quantity"] if line["has_rate"] else None,
        "costed_amount": None if cost is None else net,
        "cost": cost if line["has_rate"] else None,
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
        everything = total(figures.values(), "revenue_amount")
        for identity, row in figures.items():
            product = products.get((tenant, identity), {})
            own = row["revenue_amount"]
            better = sum(amount > own for amount in known(figures.values(), "revenue_amount")) if own is not None else None
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
                    "revenue_share_pct": percent(own, everything),
                    "revenue_rank": None if better is None else better + 1,
                }
            )
    return rows
