"""Handing over: a script in the person's own signed-in tab sends what the portal's page shows, as one check.

The person signs in as always and starts the script: a bookmark, a Shortcut of an iPhone, or a browser extension. It
reads the answers that the portal's own page uses (`watcher.portal.HandoverPlan`) and sends them to this program's page.
It never reads a cookie. The key in it does this one thing, for one account.
"""
