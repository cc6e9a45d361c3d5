import pytest
from babel.messages.catalog import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po


@pytest.fixture(scope="session")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Return the sentences that `make messages` extracts."""
    template = tmp_path_factory.mktemp("messages") / "watcher.pot"
    CommandLineInterface().run(["pybabel", "-q", "extract", "-o", str(template)])  # type: ignore[no-untyped-call]
    with template.open("rb") as file:
        return read_po(file)
