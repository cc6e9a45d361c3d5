"""Published lists that a case is compared with: inquiry dates, and the visa bulletin with its filing charts. Pure.

A comparison never says more than its list: what is missing, unreadable, or contradictory is unknown.
"""
