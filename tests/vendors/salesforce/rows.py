"""Turns the objects of a whole Salesforce account into rows of the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simple_salesforce import Salesforce

from include.demo.vendors.common import Row
from tests.vendors.salesforce.reading import day, decimal, instant, lower, records, whole

STAGES = {
    "Prospecting": "prospecting",
    "Qualification": "qualification",
    "Proposal/Price Quote": "proposal",
    "Negotiation/Review": "negotiation",
    "Closed Won": "closed_won",
    "Closed Lost": "closed_lost",
}
LEADS = {"Open": "lead", "Sales Qualified": "sql", "Converted": "opportunity", "Won": "won", "Lost": "lost"}
CASES = {
    "New": "open",
    "Waiting on Customer": "pending",
    "On Hold": "on_hold",
    "Escalated": "escalated",
    "Resolved": "resolved",
    "Closed": "closed",
}
STATUS = {
    "Not Started": "planned",
    "Planned": "planned",
    "Completed": "completed",
    "Held": "completed",
    "Deferred": "cancelled",
    "Cancelled": "cancelled",
}
ROLES = {
    "Sales Representative": "sales_rep",
    "Customer Success Manager": "csm",
    "Support Agent": "support_agent",
    "Manager": "manager",
}


def tables(api: Salesforce) -> dict[str, list[Row]]:
    """The rows of each table that Salesforce can hold, with `_deleted`. Rows lack the columns that Salesforce lacks."""
    automated = {one["Id"] for one in records(api, "User") if one["UserType"] == "AutomatedProcess"}
    read: dict[str, Callable[[Salesforce, set[str]], Iterator[Row]]] = {
        "accounts": _accounts,
        "contacts": _contacts,
        "users": _users,
        "leads": _leads,
        "deals": _deals,
        "deal_stage_history": _stages,
        "activities": _activities,
        "products": _products,
        "orders": _orders,
        "order_items": _items,
        "tickets": _cases,
        "ticket_priority_changes": _priorities,
        "ticket_sla_events": _milestones,
        "ticket_categories": _categories,
        "root_causes": _causes,
        "facilities": _facilities,
        "holidays": _holidays,
        "organizations": _organizations,
    }
    return {name: list(rows(api, automated)) for name, rows in read.items()}


def _owner(key: str, automated: set[str]) -> str | None:
    return None if key in automated else key


def _stamps(one: Row) -> Row:
    return {"created_at": instant(one["CreatedDate"]), "updated_at": instant(one["SystemModstamp"]), "_deleted": one["IsDeleted"]}


def _accounts(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in records(api, "Account"):
        yield {
            "account_id": one["Id"],
            "parent_account_id": one["ParentId"],
            "merged_into_account_id": one["MasterRecordId"],
            "name": one["Name"],
            "domain": one["Website"],
            "industry": one["Industry"],
            "employee_count": one["NumberOfEmployees"],
            "annual_revenue": decimal(one["AnnualRevenue"]),
            "currency": one["CurrencyIsoCode"],
            "account_type": lower(one["Type"]),
            "status": one["Customer_Status__c"],
            "plan_tier": one["Plan_Tier__c"],
            "region": one["Region__c"],
            "country": one["BillingCountry"],
            "city": one["BillingCity"],
            "owner_user_id": _owner(one["OwnerId"], automated),
            "signup_date": day(one["Signup_Date__c"]),
            **_stamps(one),
        }


def _contacts(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    genders = {None: None, "Female": "female", "Male": "male", "Nonbinary": "non_binary"}
    for one in records(api, "Contact"):
        yield {
            "contact_id": one["Id"],
            "account_id": one["AccountId"],
            "first_name": one["FirstName"],
            "last_name": one["LastName"],
            "email": one["Email"],
            "phone": one["Phone"],
            "title": one["Title"],
            "is_primary": one["Main_Contact__c"],
            "status": "unsubscribed" if one["HasOptedOutOfEmail"] else "bounced" if one["IsEmailBounced"] else "active",
            "gender": genders[one["GenderIdentity"]],
            "income_segment": lower(one["Income_Segment__c"]),
            **_stamps(one),
        }


def _users(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in records(api, "User", ", UserRole.Name"):
        if one["UserType"] == "Standard":
            yield {
                "user_id": one["Id"],
                "facility_id": one["Facility__c"],
                "full_name": f"{one['FirstName']} {one['LastName']}",
                "email": one["Email"],
                "role": ROLES[one["UserRole"]["Name"]],
                "is_active": one["IsActive"],
                **_stamps(one),
            }


def _leads(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in records(api, "Lead"):
        yield {
            "lead_id": one["Id"],
            "facility_id": one["Facility__c"],
            "rep_user_id": _owner(one["OwnerId"], automated),
            "account_id": one["Account__c"],
            "source_channel": one["LeadSource"],
            "stage": LEADS[one["Status"]],
            "amount": decimal(one["Expected_Amount__c"]),
            "currency": one["CurrencyIsoCode"],
            "sql_at": instant(one["Qualified_At__c"]),
            "opportunity_at": instant(one["Converted_At__c"]),
            "closed_at": instant(one["Closed_At__c"]),
            **_stamps(one),
        }


def _deals(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    leads = {one["ConvertedOpportunityId"]: one["Id"] for one in records(api, "Lead") if one["ConvertedOpportunityId"]}
    for one in records(api, "Opportunity"):
        yield {
            "deal_id": one["Id"],
            "account_id": one["AccountId"],
            "contact_id": one["ContactId"],
            "lead_id": leads.get(one["Id"]),
            "facility_id": one["Facility__c"],
            "owner_user_id": _owner(one["OwnerId"], automated),
            "name": one["Name"],
            "stage": STAGES[one["StageName"]],
            "amount": decimal(one["Amount"]),
            "currency": one["CurrencyIsoCode"],
            "probability_pct": decimal(one["Probability"]),
            "expected_close_date": day(one["CloseDate"]),
            "closed_at": instant(one["LastStageChangeDate"]) if one["IsClosed"] else None,
            "lost_reason": one["Loss_Reason__c"],
            **_stamps(one),
        }


def _stages(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    before: dict[str, str] = {}
    for one in sorted(records(api, "OpportunityHistory"), key=lambda one: (one["CreatedDate"], one["Id"])):
        yield {
            "history_id": one["Id"],
            "deal_id": one["OpportunityId"],
            "from_stage": before.get(one["OpportunityId"]),
            "to_stage": STAGES[one["StageName"]],
            "amount": decimal(one["Amount"]),
            "probability_pct": decimal(one["Probability"]),
            "changed_by_user_id": _owner(one["CreatedById"], automated),
            "changed_at": instant(one["CreatedDate"]),
            "updated_at": instant(one["SystemModstamp"]),
            "_deleted": one["IsDeleted"],
        }
        before[one["OpportunityId"]] = STAGES[one["StageName"]]


def _activities(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    def shared(one: Row) -> Row:
        return {
            "activity_id": one["Id"],
            "account_id": one["AccountId"],
            "contact_id": one["WhoId"],
            "deal_id": one["WhatId"] if (one["WhatId"] or "").startswith("006") else None,
            "user_id": _owner(one["OwnerId"], automated),
            "subject": one["Subject"],
            "outcome": lower(one["Outcome__c"]),
            "due_at": instant(one["Due__c"]),
            **_stamps(one),
        }

    for one in records(api, "Task"):
        seconds = one["CallDurationInSeconds"]
        yield shared(one) | {
            "activity_type": lower(one["Type"]),
            "status": STATUS[one["Status"]],
            "completed_at": instant(one["CompletedDateTime"]),
            "duration_minutes": None if seconds is None else seconds // 60,
        }
    for one in records(api, "Event"):
        status = STATUS[one["Status__c"]]
        yield shared(one) | {
            "activity_type": "meeting",
            "status": status,
            "completed_at": instant(one["StartDateTime"]) if status == "completed" else None,
            "duration_minutes": one["DurationInMinutes"] or None,
        }


def _products(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    prices = {one["Product2Id"]: one["UnitPrice"] for one in records(api, "PricebookEntry")}
    for one in records(api, "Product2"):
        yield {
            "product_id": one["Id"],
            "sku": one["ProductCode"],
            "name": one["Name"],
            "category": one["Family"],
            "product_type": one["Product_Type__c"],
            "unit_price": decimal(prices[one["Id"]]),
            "unit_cost": decimal(one["Unit_Cost__c"]),
            "currency": one["CurrencyIsoCode"],
            "stock_quantity": whole(one["Stock__c"]),
            "reorder_level": whole(one["Reorder_Level__c"]),
            "is_active": one["IsActive"],
            **_stamps(one),
        }


def _orders(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in records(api, "Order"):
        yield {
            "order_id": one["Id"],
            "account_id": one["AccountId"],
            "contact_id": one["BillToContactId"],
            "order_number": one["OrderReferenceNumber"],
            "status": lower(one["Status"]),
            "currency": one["CurrencyIsoCode"],
            "subtotal_amount": decimal(one["TotalAmount"]),
            "discount_amount": decimal(one["Discount__c"]),
            "tax_amount": decimal(one["Tax__c"]),
            "shipping_amount": decimal(one["Shipping__c"]),
            "total_amount": decimal(one["Grand_Total__c"]),
            "ordered_at": instant(one["Ordered_At__c"]),
            "shipped_at": instant(one["Shipped_At__c"]),
            "delivered_at": instant(one["Delivered_At__c"]),
            "updated_at": instant(one["SystemModstamp"]),
            "_deleted": one["IsDeleted"],
        }


def _items(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in records(api, "OrderItem"):
        yield {
            "order_item_id": one["Id"],
            "order_id": one["OrderId"],
            "product_id": one["Product2Id"],
            "quantity": whole(one["Quantity"]),
            "unit_price": decimal(one["UnitPrice"]),
            "discount_amount": decimal(one["Discount__c"]),
            "line_amount": decimal(one["TotalPrice"]),
            "updated_at": instant(one["SystemModstamp"]),
            "_deleted": one["IsDeleted"],
        }


def _cases(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in records(api, "Case"):
        yield {
            "ticket_id": one["Id"],
            "account_id": one["AccountId"],
            "contact_id": one["ContactId"],
            "facility_id": one["Facility__c"],
            "product_id": one["ProductId"],
            "category_id": one["Type"],
            "root_cause_id": one["Root_Cause__c"],
            "assignee_user_id": _owner(one["OwnerId"], automated),
            "channel": lower(one["Origin"]),
            "priority": lower(one["Priority"]),
            "status": CASES[one["Status"]],
            "subject": one["Subject"],
            "app_version": one["App_Version__c"],
            "first_responded_at": instant(one["First_Response__c"]),
            "resolved_at": instant(one["ClosedDate"]),
            "reopened_count": whole(one["Reopened__c"]),
            "csat_score": whole(one["CSAT_Score__c"]),
            "merged_into_ticket_id": one["MasterRecordId"],
            **_stamps(one),
        }


def _priorities(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in records(api, "CaseHistory"):
        if one["Field"] == "Priority":
            yield {
                "change_id": one["Id"],
                "ticket_id": one["CaseId"],
                "from_priority": lower(one["OldValue"]),
                "to_priority": lower(one["NewValue"]),
                "changed_at": instant(one["CreatedDate"]),
                "_deleted": one["IsDeleted"],
            }


def _milestones(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    metrics = {"First Response": "first_response", "Resolution Time": "resolution"}
    for one in records(api, "CaseMilestone", ", MilestoneType.Name"):
        yield {
            "ticket_id": one["CaseId"],
            "metric": metrics[one["MilestoneType"]["Name"]],
            "target_minutes": one["TargetResponseInMins"],
            "breached": one["IsViolated"],
            "breached_at": instant(one["TargetDate"]) if one["IsViolated"] else None,
            "fulfilled_at": instant(one["CompletionDate"]),
            "elapsed_minutes": decimal(one["ElapsedTimeInMins"]),
            "updated_at": instant(one["SystemModstamp"]),
            "_deleted": one["IsDeleted"],
        }


def _values(api: Salesforce, field: str) -> list[Row]:
    return next(one["picklistValues"] for one in api.Case.describe()["fields"] if one["name"] == field)


def _categories(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in _values(api, "Type"):
        yield {"category_id": one["value"], "name": one["label"], "_deleted": False}


def _causes(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in _values(api, "Root_Cause__c"):
        yield {"root_cause_id": one["value"], "name": one["label"], "_deleted": False}


def _facilities(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in records(api, "Facility__c"):
        yield {"facility_id": one["Id"], "name": one["Name"], "city": one["City__c"], "region": one["Region__c"], **_stamps(one)}


def _holidays(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in records(api, "Holiday"):
        yield {"holiday_date": day(one["ActivityDate"]), "name": one["Name"], "_deleted": one["IsDeleted"]}


def _organizations(api: Salesforce, automated: set[str]) -> Iterator[Row]:
    for one in records(api, "Organization"):
        yield {
            "name": one["Name"],
            "timezone": one["TimeZoneSidKey"],
            "reporting_currency": one["DefaultCurrencyIsoCode"],
            **_stamps(one),
        }
