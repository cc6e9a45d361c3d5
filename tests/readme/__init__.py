"""The README's picture and worked examples."""
