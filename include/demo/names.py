"""Names and texts for the demo company's data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Home:
    """The home of an organization: its name, time zone, currency, tax, cities and holidays."""

    name: str
    timezone: str
    currency: str
    country: str
    region: str
    utc_hours: int
    tax_pct: int
    cities: tuple[tuple[str, str], ...]
    holidays: tuple[tuple[int, int, str], ...]


HOMES = (
    Home(
        "Albion Instruments",
        "Europe/London",
        "GBP",
        "United Kingdom",
        "EMEA",
        0,
        20,
        (("London", "South East"), ("Manchester", "North West"), ("Bristol", "South West"), ("Leeds", "Yorkshire")),
        ((1, 1, "New Year's Day"), (5, 1, "Early May Day"), (12, 25, "Christmas Day"), (12, 26, "Boxing Day")),
    ),
    Home(
        "Hudson Analytics",
        "America/New_York",
        "USD",
        "United States",
        "North America",
        -5,
        8,
        (("New York", "New York"), ("Boston", "Massachusetts"), ("Philadelphia", "Pennsylvania"), ("Albany", "New York")),
        ((1, 1, "New Year's Day"), (7, 4, "Independence Day"), (11, 11, "Veterans Day"), (12, 25, "Christmas Day")),
    ),
    Home(
        "Rheintal Werke",
        "Europe/Berlin",
        "EUR",
        "Germany",
        "EMEA",
        1,
        19,
        (("Berlin", "Berlin"), ("Hamburg", "Hamburg"), ("Köln", "Nordrhein-Westfalen"), ("München", "Bayern")),
        ((1, 1, "Neujahr"), (5, 1, "Tag der Arbeit"), (10, 3, "Tag der Deutschen Einheit"), (12, 25, "Weihnachten")),
    ),
    Home(
        "Sumida Systems",
        "Asia/Tokyo",
        "JPY",
        "Japan",
        "APAC",
        9,
        10,
        (("Tokyo", "Kanto"), ("Osaka", "Kansai"), ("Nagoya", "Chubu"), ("Fukuoka", "Kyushu")),
        ((1, 1, "New Year's Day"), (2, 11, "Foundation Day"), (5, 3, "Constitution Day"), (11, 3, "Culture Day")),
    ),
)

FIRST_NAMES = [
    "Amara",
    "Ben",
    "Carla",
    "Dmitri",
    "Elif",
    "Farid",
    "Grace",
    "Hiro",
    "Ines",
    "Jonas",
    "Kavya",
    "Liam",
    "Maya",
    "Nils",
    "Olivia",
    "Pedro",
    "Quinn",
    "Rosa",
    "Samir",
    "Tara",
    "Umar",
    "Vera",
    "Wei",
    "Xenia",
    "Yusuf",
    "Zoe",
    "Aoife",
    "Björn",
    "Chloé",
    "Daria",
    "Emre",
    "Fatima",
    "Gareth",
    "Hannah",
    "Idris",
    "Juno",
    "Kofi",
    "Lucía",
    "Marek",
    "Nadia",
]
LAST_NAMES = [
    "Adler",
    "Banerjee",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Gallagher",
    "Haddad",
    "Ivanova",
    "Jensen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "O'Connor",
    "Patel",
    "Quist",
    "Rossi",
    "Sørensen",
    "Tanaka",
    "Ueda",
    "Varga",
    "Weber",
    "Xu",
    "Yılmaz",
    "Zhang",
    "Ashby",
    "Bright",
    "Cole",
    "Drake",
    "Ellis",
    "Finch",
]
TITLES = {
    "Chief Operating Officer": 4,
    "CTO": 4,
    "VP of Finance": 7,
    "Vice President, Sales": 5,
    "Director of Operations": 10,
    "IT Director": 8,
    "Operations Manager": 14,
    "Procurement Manager": 10,
    "Data Analyst": 12,
    "Systems Engineer": 12,
    "Office Administrator": 8,
}
ACCOUNT_HEADS = [
    "Alder",
    "Beacon",
    "Cobalt",
    "Dune",
    "Ember",
    "Fjord",
    "Granite",
    "Harbour",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lantern",
    "Meridian",
    "Northwind",
    "Orchard",
    "Pinnacle",
    "Quarry",
    "Ridgeway",
    "Saffron",
    "Tidewater",
    "Umber",
    "Vantage",
    "Willow",
    "Yarrow",
    "Zephyr",
    "Arbor",
    "Brook",
    "Crescent",
    "Drift",
    "Elm",
]
ACCOUNT_TAILS = [
    "Logistics",
    "Foods",
    "Textiles",
    "Energy",
    "Media",
    "Robotics",
    "Health",
    "Finance",
    "Retail",
    "Travel",
    "Labs",
    "Motors",
    "Press",
    "Homes",
    "Supply",
    "Marine",
]
INDUSTRIES = {
    "Manufacturing": 20,
    "Retail": 18,
    "Financial Services": 14,
    "Healthcare": 14,
    "Software": 14,
    "Logistics": 10,
    "Education": 6,
    "Energy": 4,
}
ABROAD = (
    ("EMEA", "Ireland", "EUR"),
    ("EMEA", "France", "EUR"),
    ("EMEA", "Germany", "EUR"),
    ("EMEA", "Switzerland", "CHF"),
    ("North America", "United States", "USD"),
    ("North America", "Canada", "CAD"),
    ("EMEA", "United Kingdom", "GBP"),
    ("APAC", "Japan", "JPY"),
)
LEAD_CHANNELS = {"web": 30, "referral": 15, "event": 15, "paid_search": 18, "partner": 10, "outbound": 12}
LOST_REASONS = ("price", "competitor", "no budget", "no decision", "missing feature")
CHECK_TYPES = ("data protection", "fire safety", "equipment calibration")
SUBJECTS = {
    "call": ("Discovery call", "Follow-up call", "Renewal call"),
    "email": ("Proposal sent", "Pricing question", "Introduction"),
    "meeting": ("Product demo", "Quarterly review", "Onboarding workshop"),
    "note": ("Decision makers", "Competitor mentioned", "Budget cycle"),
    "task": ("Send contract", "Update forecast", "Prepare quote"),
}
COMMENTS = (
    "Quick and friendly.",
    "Took too long, but solved in the end.",
    "Exactly what we needed.",
    "Still waiting for an explanation.",
    "Great support, thank you!",
    "The answer did not help.",
    "OK.",
)
