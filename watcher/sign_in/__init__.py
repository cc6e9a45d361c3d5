"""Sign-in parts that portals share: one-time codes, saved sessions, cookies imported from a browser.

Nothing here depends on a portal or the store. The classes implement the protocols of `watcher.portal` (`CodeSource`,
`SavedSession`) structurally.
"""
