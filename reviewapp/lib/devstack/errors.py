"""What stops a start, said so that the reader knows what to do."""


class StartError(Exception):
    """The stack cannot start; the message is for the person at the terminal."""
