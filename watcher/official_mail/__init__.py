"""The agency's own mails in the user's mailbox: a mail that is provably the agency's starts a check, or an alert.

The mailbox is only read. No text of a mail is followed, no link in it is opened, and nothing of it is stored.
"""
