from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.api_workspace import ApiWorkspace, api_workspace
from tests.support.workspace import Workspace


@pytest.fixture
def empty_workspace(tmp_path: Path) -> Workspace:
    """Return a workspace without files."""
    return Workspace(folder=tmp_path)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[ApiWorkspace]:
    """Yield a workspace with one watched case at a local Case Status API and one channel."""
    with api_workspace(tmp_path) as workspace:
        yield workspace
