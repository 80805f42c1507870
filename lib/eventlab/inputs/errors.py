"""The one error of the room: a file that cannot be read as it is, where, and what to do about it."""


class InputError(Exception):
    """What is wrong with an input file. Nothing of the file was stored.

    ``file`` is its name, ``where`` the line or field ("line 12, column 'Betrag'"), ``what`` the fault, ``do`` the way
    out.
    """

    def __init__(self, what: str, *, do: str, file: str = "", where: str = "") -> None:
        super().__init__(what)
        self.what, self.do, self.file, self.where = what, do, file, where

    def at(self, file: str = "", where: str = "") -> "InputError":
        """The same error with its place, where it does not name one yet."""
        return InputError(self.what, do=self.do, file=self.file or file, where=self.where or where)

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.file, self.where) if part)
        return f"{place}: {self.what}. {self.do}" if place else f"{self.what}. {self.do}"
