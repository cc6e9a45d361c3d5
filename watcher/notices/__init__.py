"""The letters themselves: downloaded once, checked, and kept, for a portal may archive tomorrow what it shows today.

They lie under `state_dir/notices/ACCOUNT/CASE/`, each for its owner alone. What a portal no longer offers stays.
"""

from watcher.notices.download import fetch_notices
from watcher.notices.notice_files import NoticeFiles

__all__ = ["NoticeFiles", "fetch_notices"]
