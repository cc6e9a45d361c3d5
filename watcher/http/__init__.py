"""The only place that sends HTTP requests to a portal."""
