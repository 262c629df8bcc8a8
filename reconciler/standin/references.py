"""References in values: `${NAME}` in the same folder, `${environment.folder.NAME}` anywhere in the project."""

import re

from reconciler.standin.access import Access, Action
from reconciler.standin.ages import UnreadableReference
from reconciler.standin.model import Content, Folder
from reconciler.standin.project import Project
from reconciler.standin.refusals import Refused, Trouble

_REFERENCE = re.compile(r"\$\{([a-zA-Z0-9_.-]+)\}")
_DEPTH = 10


def _target(reference: str, environment: str, path: str) -> tuple[str, str, str]:
    """Environment, folder and name that a reference means, seen from a folder."""
    first, *rest = reference.split(".")
    if not rest:
        return environment, path, reference
    return first, "/" + "/".join(rest[:-1]), rest[-1]


class Expander:
    """Expands the values of one answer, for one reader. `single`: for a single read, else for a listing."""

    def __init__(self, project: Project, access: Access, *, single: bool) -> None:
        self._project = project
        self._access = access
        self._single = single
        self._dialect = project.services.dialect

    def value(self, content: Content, folder: Folder) -> str:
        """The content's value with its references expanded, quoted where it asks for it. Raises Refused."""
        has_reference = _REFERENCE.search(content.value) is not None
        expanded = self._expanded(content.value, folder) if has_reference else content.value
        quotes = has_reference or self._dialect.quotes_without_reference
        if content.skip_multiline_encoding and quotes and "\n" in expanded:
            return '"' + expanded.replace("\n", "\\n") + '"'
        return expanded

    def _expanded(self, value: str, folder: Folder) -> str:
        # Every reference found at some depth is replaced in the whole text at once, wherever it came from: so do
        # real servers, and it shows where one name means different secrets in different folders.
        result = value
        waiting = [(value, folder.environment, folder.path, 0)]
        while waiting:
            text, environment, path, depth = waiting.pop()
            for reference in dict.fromkeys(_REFERENCE.findall(text)):
                if "." not in reference and self._single and not self._dialect.singles_expand_local:
                    continue
                where, below, name = _target(reference, environment, path)
                found = self._fetch(where, below, name)
                if found is None or (not found and not self._dialect.empty_reference_expands):
                    continue
                if depth < _DEPTH and _REFERENCE.search(found):
                    waiting.append((found, where, below, depth + 1))
                result = result.replace("${" + reference + "}", found)
        return result

    def _fetch(self, environment: str, path: str, name: str) -> str | None:
        """The value that a reference means; None: there is none, it stays as text."""
        folder = self._project.folder(environment, path)
        if folder is None:
            if self._single and self._dialect.absent_reference_breaks_singles:
                raise Refused(Trouble.REFERENCED_FOLDER_ABSENT)
            return None
        secret = folder.named(name)
        if secret is None:
            return None
        rule = self._dialect.unreadable_reference
        if rule is UnreadableReference.EXPANDED or self._access.may(Action.READ, environment, path, name):
            return secret.content.value
        if self._single or rule is UnreadableReference.REFUSED:
            raise Refused(Trouble.REFERENCE_DENIED, name=name, environment=environment, path=path)
        return None


def check_references(project: Project, folder: Folder, value: str) -> None:
    """Refuse a value whose references have no target, on servers that look. Raises Refused."""
    if not project.services.dialect.references_checked_on_write:
        return
    for reference in _REFERENCE.findall(value):
        environment, path, name = _target(reference, folder.environment, folder.path)
        if environment not in project.environments:
            raise Refused(Trouble.REFERENCED_ENVIRONMENT_ABSENT, environment=environment)
        target = project.folder(environment, path)
        if target is None:
            raise Refused(Trouble.REFERENCED_FOLDER_ABSENT)
        if target.named(name) is None:
            raise Refused(Trouble.REFERENCED_SECRET_ABSENT, name=name)
