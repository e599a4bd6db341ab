"""HubSpot's words for the words of the demo company: the internal names of options and stages."""

from __future__ import annotations

STAGES = {
    "prospecting": "appointmentscheduled",
    "qualification": "qualifiedtobuy",
    "proposal": "presentationscheduled",
    "negotiation": "decisionmakerboughtin",
    "closed_won": "closedwon",
    "closed_lost": "closedlost",
}
LEAD_STAGES = {
    "lead": "new-stage-id",
    "sql": "connected-stage-id",
    "opportunity": "qualified-stage-id",
    "won": "won-stage-id",
    "lost": "unqualified-stage-id",
}
TICKET_STAGES = {"open": "1", "pending": "2", "on_hold": "3", "escalated": "5", "resolved": "4", "closed": "6"}
PRIORITIES = {"critical": "URGENT", "high": "HIGH", "medium": "MEDIUM", "low": "LOW"}
INDUSTRIES = {
    "Manufacturing": "MACHINERY",
    "Retail": "RETAIL",
    "Financial Services": "FINANCIAL_SERVICES",
    "Healthcare": "HOSPITAL_HEALTH_CARE",
    "Software": "COMPUTER_SOFTWARE",
    "Logistics": "LOGISTICS_AND_SUPPLY_CHAIN",
    "Education": "EDUCATION_MANAGEMENT",
    "Energy": "OIL_ENERGY",
}
LIFECYCLE = {"customer": "customer", "prospect": "lead"}
SOURCES = {"email": "EMAIL", "chat": "CHAT", "phone": "PHONE", "social": "SOCIAL", "web": "FORM", "app": "INTEGRATION"}
FULFILLMENT = {
    "pending": "Unfulfilled",
    "confirmed": "Confirmed",
    "shipped": "Shipped",
    "delivered": "Delivered",
    "cancelled": "Cancelled",
    "refunded": "Refunded",
}
OUTCOMES = {"positive": "POSITIVE", "neutral": "NEUTRAL", "negative": "NEGATIVE", "no_answer": "NO_ANSWER"}
PRODUCT_TYPES = {"physical": "inventory", "software": "non_inventory", "service": "service"}
SURVEYS = {"csat": "CSAT", "nps": "NPS"}
