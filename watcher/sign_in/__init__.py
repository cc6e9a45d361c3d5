"""What signing in needs and several portals share: one-time codes, saved sessions, cookies taken over from a browser.

Nothing here knows a portal or the store. The classes fit the protocols of `watcher.portals` (`CodeSource`,
`SessionFile`) by their shape; what they need of the store they name as a protocol of their own.
"""
