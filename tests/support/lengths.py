"""The longest texts that an alert may have, and a record of the longest that were seen."""

from dataclasses import dataclass, field

from watcher.text.gsm import gsm_length, is_gsm

MAX_BODY = {"short": 350, "full": 1_500}


@dataclass(slots=True)
class Longest:
    """Checks each text of an alert against its limit, and remembers the longest of each part."""

    texts: dict[str, str] = field(default_factory=dict)

    def check(self, *, title: str, body: str, short: str, detail: str = "short") -> None:
        assert len(title) <= 65, title
        assert len(body) <= MAX_BODY[detail], body
        assert is_gsm(short), short
        assert gsm_length(short) <= 160, short
        for part, text in (("title", title), (f"{detail} body", body), ("SMS", short)):
            if len(text) > len(self.texts.get(part, "")):
                self.texts[part] = text

    def report(self) -> str:
        return "\n\n".join(f"longest {part}: {len(text)}\n{text}" for part, text in self.texts.items())
