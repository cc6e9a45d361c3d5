"""The process that runs for months: schedule, delivery, and signs of life."""
