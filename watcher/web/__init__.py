"""The page: everything in a browser. It reads what the commands read and writes what the commands write."""
