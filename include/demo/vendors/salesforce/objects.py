"""Salesforce's objects: for each, the table of the demo company and Salesforce's fields. Custom fields end in __c."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from include.demo.vendors.salesforce import words
from include.demo.vendors.salesforce.fields import (
    AT_FACILITY,
    FACILITY,
    ISO,
    money,
    number,
    owner,
    pick,
    plain,
    stamps,
    target_date,
)
from include.demo.vendors.salesforce.ids import record_id
from include.demo.vendors.salesforce.objects_sales import SALES
from include.demo.vendors.salesforce.shape import Field, SObject, reference

SOBJECTS = (
    *SALES,
    SObject(
        "Product2",
        "01t",
        "products",
        (
            plain("Name", "name"),
            plain("ProductCode", "sku"),
            pick("Family", "category"),
            Field("IsActive", "is_active", "boolean"),
            ISO,
            pick("Product_Type__c", "product_type"),
            money("Unit_Cost__c", "unit_cost"),
            # A roll-up, whose changes are no user's: they move SystemModstamp alone.
            Field("Stock__c", "stock_quantity", "double"),
            Field("Reorder_Level__c", "reorder_level", "double"),
            *stamps(modified="created_at"),
        ),
    ),
    SObject(
        "PricebookEntry",
        "01u",
        "products",
        (
            reference("Product2Id", "product_id", "Product2", "01t"),
            Field("Pricebook2Id", lambda row, account: record_id("01s", "standard"), "reference", to="Pricebook2"),
            money("UnitPrice", "unit_price"),
            ISO,
            Field("IsActive", "is_active", "boolean"),
            *stamps(),
        ),
    ),
    SObject(
        "Order",
        "801",
        "orders",
        (
            reference("AccountId", "account_id", "Account", "001"),
            reference("BillToContactId", "contact_id", "Contact", "003"),
            plain("OrderReferenceNumber", "order_number"),
            pick("Status", "status", words.ORDERS),
            ISO,
            Field("EffectiveDate", lambda row, account: row["ordered_at"].date(), "date"),
            money("TotalAmount", "subtotal_amount"),
            money("Discount__c", "discount_amount"),
            money("Tax__c", "tax_amount"),
            money("Shipping__c", "shipping_amount"),
            money("Grand_Total__c", "total_amount"),
            Field("Ordered_At__c", "ordered_at", "datetime"),
            Field("Shipped_At__c", "shipped_at", "datetime"),
            Field("Delivered_At__c", "delivered_at", "datetime"),
            *stamps("ordered_at"),
        ),
    ),
    SObject(
        "OrderItem",
        "802",
        "order_items",
        (
            reference("OrderId", "order_id", "Order", "801"),
            reference("Product2Id", "product_id", "Product2", "01t"),
            number("Quantity", lambda row, account: None if row["quantity"] is None else Decimal(row["quantity"])),
            money("UnitPrice", "unit_price"),
            money("Discount__c", "discount_amount"),
            money("TotalPrice", "line_amount"),
            *stamps(),
        ),
    ),
    SObject(
        "Case",
        "500",
        "tickets",
        (
            reference("MasterRecordId", "merged_into_ticket_id", "Case", "500"),
            reference("AccountId", "account_id", "Account", "001"),
            reference("ContactId", "contact_id", "Contact", "003"),
            reference("ProductId", "product_id", "Product2", "01t"),
            owner("OwnerId", "assignee_user_id"),
            plain("Subject", "subject"),
            pick("Status", "status", words.CASES),
            pick("Priority", "priority", words.PRIORITIES),
            pick("Origin", "channel", words.ORIGINS),
            pick("Type", "category_id"),
            pick("Root_Cause__c", "root_cause_id"),
            Field("IsClosed", lambda row, account: row["status"] in ("resolved", "closed"), "boolean"),
            Field("IsEscalated", lambda row, account: row["status"] == "escalated", "boolean"),
            Field("ClosedDate", "resolved_at", "datetime"),
            Field("First_Response__c", "first_responded_at", "datetime"),
            Field("Reopened__c", "reopened_count", "double"),
            Field("CSAT_Score__c", "csat_score", "double"),
            plain("App_Version__c", "app_version"),
            AT_FACILITY,
            *stamps(),
        ),
    ),
    SObject(
        "CaseHistory",
        "017",
        "ticket_priority_changes",
        (
            reference("CaseId", "ticket_id", "Case", "500"),
            Field("Field", lambda row, account: "Priority", "picklist"),
            Field("OldValue", "from_priority", "anyType", words.PRIORITIES),
            Field("NewValue", "to_priority", "anyType", words.PRIORITIES),
            Field("CreatedDate", "changed_at", "datetime"),
        ),
    ),
    SObject(
        "CaseMilestone",
        "555",
        "ticket_sla_events",
        (
            reference("CaseId", "ticket_id", "Case", "500"),
            reference("MilestoneTypeId", "metric", "MilestoneType", "557"),
            Field("StartDate", "created_at", "datetime"),
            Field("TargetDate", target_date, "datetime"),
            Field("CompletionDate", "fulfilled_at", "datetime"),
            Field("TargetResponseInMins", "target_minutes", "int"),
            number("ElapsedTimeInMins", "elapsed_minutes"),
            Field("IsCompleted", lambda row, account: row["fulfilled_at"] is not None, "boolean"),
            Field("IsViolated", lambda row, account: bool(row["breached"]), "boolean"),
            *stamps(),
        ),
    ),
    SObject(
        "MilestoneType",
        "557",
        "milestone_types",
        (plain("Name", "name"), Field("SystemModstamp", "updated_at", "datetime")),
    ),
    SObject(
        "Facility__c",
        FACILITY,
        "facilities",
        (plain("Name", "name"), plain("City__c", "city"), plain("Region__c", "region"), *stamps()),
    ),
    SObject(
        "Holiday",
        "0C0",
        "holidays",
        (
            plain("Name", "name"),
            Field("ActivityDate", "holiday_date", "date"),
            Field("IsAllDay", lambda row, account: True, "boolean"),
            Field("CreatedDate", lambda row, account: datetime(row["holiday_date"].year, 1, 1, tzinfo=UTC), "datetime"),
            Field("SystemModstamp", lambda row, account: datetime(row["holiday_date"].year, 1, 1, tzinfo=UTC), "datetime"),
        ),
    ),
    SObject(
        "UserRole",
        "00E",
        "roles",
        (plain("Name", "name"), plain("DeveloperName", "developer_name"), Field("SystemModstamp", "updated_at", "datetime")),
    ),
    SObject(
        "Organization",
        "00D",
        "organizations",
        (
            plain("Name", "name"),
            Field("DefaultCurrencyIsoCode", "reporting_currency", "picklist"),
            Field("TimeZoneSidKey", "timezone", "picklist"),
            Field("IsSandbox", lambda row, account: False, "boolean"),
            *stamps(),
        ),
    ),
)
BY_NAME = {one.name.lower(): one for one in SOBJECTS}
NAMES = {one.prefix: one.name for one in SOBJECTS}
"""The name of an object by the first three characters of its ids."""


def is_polymorphic(one: SObject, field: Field) -> bool:
    """Whether a lookup may lead to records of several objects. Such a parent has a Type, which is the name of its object."""
    return field.name in ("WhoId", "WhatId") or (field.name == "OwnerId" and one.name in ("Lead", "Case", "Task", "Event"))
