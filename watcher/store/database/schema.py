"""The version of the schema that this release uses."""

from watcher.messages import mark

HEAD = "0007"
"""The newest migration. A test compares it with the migrations and the tables."""

FOREIGN = mark("it contains another program's tables; use a separate database (or, on a server, a separate schema)")
OTHER_TABLES = mark("it lacks tables of this release; use a separate database (or, on a server, a separate schema)")
"""Why a database cannot be used, in English."""
