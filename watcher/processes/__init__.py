"""Child processes of the daemon: how they are started, what they exchange with it, and how they end.

Needs only the standard library, because the supervisor imports it and stays small.
"""
