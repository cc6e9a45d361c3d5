"""The state of `watcher init`: the answers so far, the secrets, and the file made from them."""

from watcher.wizard.draft import ConfigDraft
from watcher.wizard.toml_writer import as_toml

__all__ = ["ConfigDraft", "as_toml"]
