"""The version of the schema that this release uses."""

HEAD = "0005"
"""The newest migration. A test compares it with the migrations and the tables."""

_OWN = "use a separate database (or, on a server, a separate schema)"
FOREIGN = f"it contains another program's tables; {_OWN}"
OTHER_TABLES = f"it lacks tables of this release; {_OWN}"
