from pathlib import Path

import pytest

from tests.web.visiting import Site, a_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return a_site(tmp_path)
