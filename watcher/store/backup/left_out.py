"""The tables that a backup does not carry, each with the reason.

A restore takes their rows over from the database that it replaces. A test makes sure that every table is either named
here or carried.
"""

LEFT_OUT = {
    "sealed": "A copy must not let anybody sign in, and what was used or ended since must not be used again.",
    "web_key": "A restore must not sign in a device again that was signed out since.",
    "passkey": "A restore must not bring back a passkey that was removed since.",
    "push_subscription": "A device that was signed out since must not get alerts again.",
}
