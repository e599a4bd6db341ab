"""Salesforce's words for the words of the demo company: the values of picklists."""

from __future__ import annotations

STAGES = {
    "prospecting": "Prospecting",
    "qualification": "Qualification",
    "proposal": "Proposal/Price Quote",
    "negotiation": "Negotiation/Review",
    "closed_won": "Closed Won",
    "closed_lost": "Closed Lost",
}
FORECAST = {
    "prospecting": "Pipeline",
    "qualification": "Pipeline",
    "proposal": "BestCase",
    "negotiation": "Forecast",
    "closed_won": "Closed",
    "closed_lost": "Omitted",
}
ACCOUNT_TYPES = {"customer": "Customer", "prospect": "Prospect"}
LEADS = {"lead": "Open", "sql": "Sales Qualified", "opportunity": "Converted", "won": "Won", "lost": "Lost"}
CASES = {
    "open": "New",
    "pending": "Waiting on Customer",
    "on_hold": "On Hold",
    "escalated": "Escalated",
    "resolved": "Resolved",
    "closed": "Closed",
}
PRIORITIES = {"critical": "Critical", "high": "High", "medium": "Medium", "low": "Low"}
ORIGINS = {"email": "Email", "chat": "Chat", "phone": "Phone", "social": "Social", "web": "Web", "app": "App"}
TASKS = {"planned": "Not Started", "completed": "Completed", "cancelled": "Deferred"}
EVENTS = {"planned": "Planned", "completed": "Held", "cancelled": "Cancelled"}
SUBTYPES = {"call": "Call", "email": "Email", "note": "Task", "task": "Task"}
OUTCOMES = {"positive": "Positive", "neutral": "Neutral", "negative": "Negative", "no_answer": "No Answer"}
GENDERS = {"female": "Female", "male": "Male", "non_binary": "Nonbinary"}
INCOMES = {"low": "Low", "medium": "Medium", "high": "High"}
ORDERS = {
    "pending": "Pending",
    "confirmed": "Confirmed",
    "shipped": "Shipped",
    "delivered": "Delivered",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
}
ROLES = {
    "sales_rep": "Sales Representative",
    "csm": "Customer Success Manager",
    "support_agent": "Support Agent",
    "manager": "Manager",
}
MILESTONES = {"first_response": "First Response", "resolution": "Resolution Time"}
