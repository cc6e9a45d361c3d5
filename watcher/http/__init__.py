"""The HTTP client for portals. Nothing else sends requests to a portal, except the browser that signs in."""
