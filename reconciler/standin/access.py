"""What a member of a project may do: rules on environments, folders and names of secrets."""

import enum
from fnmatch import fnmatchcase

import msgspec


class Action(enum.Enum):
    """What can be done to a secret. The values are the words that servers use in their refusals."""

    DESCRIBE = "describeSecret"
    READ = "readValue"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Allows actions where environment, folder and name match. The three are patterns; `*` in a folder crosses slashes."""

    actions: frozenset[Action]
    environment: str = "*"
    path: str = "*"
    name: str = "*"

    def allows(self, action: Action, environment: str, path: str, name: str | None) -> bool:
        """With `name` None the question is about the folder: is there any name for which it is allowed?"""
        return (
            action in self.actions
            and fnmatchcase(environment, self.environment)
            and fnmatchcase(path, self.path)
            and (name is None or fnmatchcase(name, self.name))
        )


class Access(msgspec.Struct, frozen=True):
    """All that a member may do in a project."""

    rules: tuple[Rule, ...] = ()

    def may(self, action: Action, environment: str, path: str, name: str | None = None) -> bool:
        """Whether one of the rules allows it."""
        return any(rule.allows(action, environment, path, name) for rule in self.rules)

    def __add__(self, other: "Access") -> "Access":
        return Access(self.rules + other.rules)


_READING = frozenset({Action.DESCRIBE, Action.READ})

ADMIN = Access((Rule(actions=frozenset(Action)),))
VIEWER = Access((Rule(actions=_READING),))
NO_ACCESS = Access()
"""A member of the project without any right."""

ROLES = {"admin": ADMIN, "member": ADMIN, "viewer": VIEWER, "no-access": NO_ACCESS}


def _below(actions: frozenset[Action], environment: str, path: str) -> Access:
    folder = path.rstrip("/")
    return Access(
        (
            Rule(actions=actions, environment=environment, path=folder or "/"),
            Rule(actions=actions, environment=environment, path=f"{folder}/*"),
        )
    )


def read_below(environment: str, path: str) -> Access:
    """May read the folder and all below it, nothing else."""
    return _below(_READING, environment, path)


def write_below(environment: str, path: str) -> Access:
    """May read and write in the folder and all below it, nothing else."""
    return _below(frozenset(Action), environment, path)


def names_only(environment: str, path: str) -> Access:
    """May see which secrets the folder has, not their values."""
    return Access((Rule(actions=frozenset({Action.DESCRIBE}), environment=environment, path=path),))


def read_named(environment: str, path: str, name: str) -> Access:
    """May read the secrets of one folder whose name matches the pattern."""
    return Access((Rule(actions=_READING, environment=environment, path=path, name=name),))
