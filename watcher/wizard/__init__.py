"""What `watcher init` needs besides asking: the answers so far, the secrets, and the file that comes of them.

draft     the answers, kept after each one, so that a wizard that broke off goes on where it stopped
document  a configuration as commented TOML
"""

from watcher.wizard.draft import ConfigDraft
from watcher.wizard.toml_writer import as_toml

__all__ = ["ConfigDraft", "as_toml"]
