"""Letters: downloaded once, checked, and saved, because a portal may remove tomorrow what it offers today.

The files are in `state_dir/notices/ACCOUNT/CASE/`, readable by the owner only. They stay when the portal removes them.
"""
