"""What every part works with: store, settings, clock."""
