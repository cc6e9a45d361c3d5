from pathlib import Path

import pytest

from tests.settings.configuration import ConfigFolder


@pytest.fixture
def config(tmp_path: Path) -> ConfigFolder:
    return ConfigFolder(tmp_path)
