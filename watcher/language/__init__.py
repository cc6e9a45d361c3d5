"""The meaning of a portal's statuses, and the program's messages in several languages."""
