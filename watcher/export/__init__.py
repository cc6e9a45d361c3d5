"""JSON, CSV, calendar, and ZIP documents for other programs; one case on paper."""
