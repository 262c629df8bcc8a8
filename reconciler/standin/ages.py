"""The three ages of Infisical server that are in use, and everything in which they differ apart from their refusals.

A difference is a switch of `Dialect`; the texts and statuses of refusals are in `refusals`, the fields of a secret in
`shapes`, the routes in `routes`. No other module asks for an age.
"""

import enum

import msgspec


class Age(enum.Enum):
    """How old the server is."""

    CURRENT = "2026"
    YEAR_2025 = "2025-06"
    YEAR_2024 = "2024-07"


class UnreadableReference(enum.Enum):
    """What a listing does about a reference to a secret that the reader may not see."""

    EXPANDED = "expanded all the same"
    LEFT = "left as text"
    REFUSED = "the whole listing is refused"


class ImportsInLists(enum.Enum):
    """Whether references in imported secrets are expanded by a listing, whatever the request says."""

    NEVER = "never"
    ALWAYS = "always"


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """In what a server differs from those before and after it."""

    request_ids: bool = True
    """Answers of its own carry a `reqId`."""
    names_and_values_apart: bool = True
    """To see that a secret exists and to see its value are two rights; values can be hidden on demand."""
    permission_first: bool = False
    """The right is checked before the folder and the secret are looked for."""
    absent_folder_refused: bool = True
    """A listing of a folder that is not there is refused; older servers list it as empty."""
    folder_paths_by_text: bool = False
    """A recursive listing of `/app` brings `/app2` too."""
    tags: bool = True
    """Secrets have tags, by which a listing can be filtered."""
    unreadable_reference: UnreadableReference = UnreadableReference.REFUSED
    imports_in_lists: ImportsInLists = ImportsInLists.ALWAYS
    singles_expand_local: bool = True
    """A single read expands `${NAME}`, not only `${environment.folder.NAME}`."""
    empty_reference_expands: bool = True
    """A reference to an empty secret becomes empty; elsewhere it stays as text."""
    absent_reference_breaks_singles: bool = False
    """A single read of a value with a reference into an absent folder is an internal error."""
    references_checked_on_write: bool = False
    """A value whose reference has no target is refused."""
    workspace_in_imports: bool = False
    """Imported secrets in a listing name their project."""
    quotes_without_reference: bool = False
    """`skipMultilineEncoding` also quotes a value with a line break that has no reference."""
    old_versions: bool = True
    """A single read can be asked for an earlier version."""
    refused_in_names: str = ":/"
    """Characters that a new secret's name may not have."""
    trims_name_on_delete: bool = False
    update_needs_value: bool = False
    batch_by_slug_alone: bool = False
    """Batches want the project's slug, and look at nothing else to find the project."""
    batch_modes: bool = True
    """Batch updates know `mode`: failOnNotFound, ignore, upsert."""
    batch_refuses_twins: bool = True
    """A batch deletion that names one secret twice is refused."""
    first_version_in_batch: int = 1
    policies_hold_machines: bool = True
    """A change policy holds back what a machine identity writes."""
    lockout: bool = True
    """Three wrong client secrets within half a minute lock the login for five minutes."""
    expired_by_lifetime: bool = True
    """A token carries its own end, the lifetime; older ones carry their maximum age, and the server checks the lifetime."""
    project_lists_for_machines: bool = True
    slug_lengths: tuple[int, int] = (1, 64)
    organization_slugs: bool = True
    """A login may name one of several organisations."""
    webhook_project_fields: tuple[str, ...] = (
        "workspaceId",
        "projectId",
        "projectName",
        "environment",
        "secretPath",
    )
    project_defaults: tuple[tuple[str, object], ...] = (
        ("description", None),
        ("type", "secret-manager"),
        ("autoCapitalization", False),
        ("version", 3),
        ("upgradeStatus", None),
        ("pitVersionLimit", 10),
        ("kmsCertificateKeyId", None),
        ("auditLogsRetentionDays", None),
        ("hasDeleteProtection", False),
        ("secretSharing", True),
        ("showSnapshotsLegacy", False),
    )
    project_keys: bool = True
    """A project read by its slug names its encryption key."""


_YEAR_2025 = Dialect(
    absent_folder_refused=False,
    unreadable_reference=UnreadableReference.LEFT,
    empty_reference_expands=False,
    absent_reference_breaks_singles=True,
    references_checked_on_write=True,
    refused_in_names=" /",
    batch_refuses_twins=False,
    policies_hold_machines=False,
    lockout=False,
    slug_lengths=(1, 36),
    organization_slugs=False,
    webhook_project_fields=("workspaceId", "projectName", "environment", "secretPath"),
)

_YEAR_2024 = msgspec.structs.replace(
    _YEAR_2025,
    request_ids=False,
    names_and_values_apart=False,
    permission_first=True,
    folder_paths_by_text=True,
    tags=False,
    unreadable_reference=UnreadableReference.EXPANDED,
    imports_in_lists=ImportsInLists.NEVER,
    singles_expand_local=False,
    absent_reference_breaks_singles=False,
    references_checked_on_write=False,
    workspace_in_imports=True,
    quotes_without_reference=True,
    old_versions=False,
    refused_in_names="",
    trims_name_on_delete=True,
    update_needs_value=True,
    batch_by_slug_alone=True,
    batch_modes=False,
    first_version_in_batch=0,
    expired_by_lifetime=False,
    project_lists_for_machines=False,
    project_keys=False,
    slug_lengths=(5, 36),
    webhook_project_fields=("workspaceId", "environment", "secretPath"),
    project_defaults=(
        ("autoCapitalization", True),
        ("version", 2),
        ("upgradeStatus", None),
        ("pitVersionLimit", 10),
        ("kmsCertificateKeyId", None),
        ("auditLogsRetentionDays", None),
    ),
)

DIALECTS = {Age.CURRENT: Dialect(), Age.YEAR_2025: _YEAR_2025, Age.YEAR_2024: _YEAR_2024}
