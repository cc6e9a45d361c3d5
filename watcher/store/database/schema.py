"""The version of the schema that this release uses."""

HEAD = "0004"
"""The newest migration. A test compares it with the migrations and the tables."""

_OWN = "give the watcher a database of its own (on a server, a schema will do)"
FOREIGN = f"it holds another program's tables; {_OWN}"
OTHER_TABLES = f"it does not have the tables that this release makes; {_OWN}"
