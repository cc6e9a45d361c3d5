"""Changes as worded alerts."""
