"""What is wrong with an object, told so that its author can mend it."""

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """Something wrong at a path such as `spec.data[0].remoteRef.key` ("" for the whole object).

    The message holds no value of the object. `rule` is the name of the rule that is broken, "" where the schema is.
    """

    path: str
    message: str
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class Faults(msgspec.Struct, frozen=True):
    """Everything that is wrong with an object; never empty."""

    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return "; ".join(str(fault) for fault in self.faults)
