"""A terminal at which somebody types."""

import io


class Terminal(io.StringIO):
    """Standard input of a person: give what is typed."""

    def isatty(self) -> bool:
        return True
