"""What the practice portal knows."""
