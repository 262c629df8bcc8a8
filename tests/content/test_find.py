import pytest

from adapters.resources.remote_data import Find, FindName
from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.find import Candidate, Collision, Found, check_find, find
from reconciler.content.values import HIDDEN, Value


def at(place: str) -> Candidate:
    """A candidate whose value is its own place."""
    folder, _, name = place.rpartition("/")
    return Candidate(name, folder or "/", Value.of_text(place))


def imported(name: str) -> Candidate:
    return Candidate(name, None, Value.of_text(f"imported {name}"))


EXAMPLE = [
    at("/API_KEY"),
    at("/DB_PASSWORD"),
    at("/JSON_BLOB"),
    at("/my-app/SERVICE_PASSWORD"),
    at("/my-app/ADMIN_PASSWORD"),
    at("/my-app2/OTHER_PASSWORD"),
]


def wanted(regexp: str | None = None, path: str | None = None, tags: dict[str, str] | None = None) -> Find:
    return Find(name=None if regexp is None else FindName(regexp=regexp), path=path, tags=tags)


def taken(
    candidates: list[Candidate], criteria: Find, scope_path: str = "/", recursive: bool = True
) -> Found:
    return find(candidates, criteria, scope_path=scope_path, recursive=recursive)


def values(found: Found) -> dict[str, str]:
    return {name: value.reveal().decode() for name, value in found.values.items()}


@pytest.mark.statement("S43")
@pytest.mark.statement("S51")
def test_everything_is_found_by_a_pattern_that_matches_everything() -> None:
    assert len(taken(EXAMPLE, wanted(".*")).values) == 6


@pytest.mark.statement("S52")
@pytest.mark.statement("S53")
@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("^DB_", {"DB_PASSWORD"}),
        ("PASS", {"DB_PASSWORD", "SERVICE_PASSWORD", "ADMIN_PASSWORD", "OTHER_PASSWORD"}),
        ("(?i)^api_key$", {"API_KEY"}),
        (r"\AJSON_\pL+\z", {"JSON_BLOB"}),
        ("nothing", set()),
    ],
)
def test_a_pattern_is_searched_in_the_name(pattern: str, names: set[str]) -> None:
    assert set(taken(EXAMPLE, wanted(pattern)).values) == names


@pytest.mark.statement("S52")
@pytest.mark.statement("S55")
@pytest.mark.statement("S57")
@pytest.mark.parametrize("path", ["/my-app", "/my-app/", "//my-app"])
def test_a_path_takes_a_folder_and_what_is_below_but_not_its_namesakes(path: str) -> None:
    found = taken([*EXAMPLE, at("/my-app/deep/BELOW")], wanted(path=path))
    assert set(found.values) == {"SERVICE_PASSWORD", "ADMIN_PASSWORD", "BELOW"}


@pytest.mark.statement("S52")
def test_pattern_and_path_narrow_each_other() -> None:
    assert values(taken(EXAMPLE, wanted("^ADMIN", "/my-app"))) == {"ADMIN_PASSWORD": "/my-app/ADMIN_PASSWORD"}


@pytest.mark.statement("S49")
@pytest.mark.statement("S57")
def test_an_imported_secret_counts_without_a_path_and_never_with_one() -> None:
    candidates = [at("/OWN"), imported("FAR")]
    assert set(taken(candidates, wanted("")).values) == {"OWN", "FAR"}
    assert set(taken(candidates, wanted(path="/")).values) == {"OWN"}


@pytest.mark.statement("S54")
def test_neither_name_nor_path_is_refused() -> None:
    assert fault(wanted()).kind is FaultKind.FIND_UNBOUNDED


def test_a_choice_by_name_without_a_pattern_takes_every_name() -> None:
    assert len(taken(EXAMPLE, Find(name=FindName())).values) == 6


@pytest.mark.statement("S56")
@pytest.mark.parametrize("path", ["my-app", ""])
def test_a_path_that_is_not_absolute_is_refused(path: str) -> None:
    refused = fault(wanted(path=path))
    assert (refused.kind, refused.path) == (FaultKind.FIND_PATH_RELATIVE, path)


@pytest.mark.statement("S58")
@pytest.mark.parametrize("tags", [{}, {"team": "a"}])
def test_tags_are_refused(tags: dict[str, str]) -> None:
    assert fault(wanted(".*", "/", tags)).kind is FaultKind.FIND_TAGS


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"\1", "a{1001}", "[z-a]"])
def test_a_pattern_that_is_not_re2_is_refused_in_silence(
    pattern: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert fault(wanted(pattern)).kind is FaultKind.REGEXP_INVALID
    assert capfd.readouterr() == ("", "")


def test_a_path_that_climbs_is_refused() -> None:
    assert fault(wanted(path="/a/../b")).kind is FaultKind.PATH_CLIMBS


def fault(criteria: Find) -> ContentFault:
    with pytest.raises(ContentFault) as caught:
        check_find(criteria, scope_path="/", recursive=True)
    return caught.value


@pytest.mark.statement("S85")
@pytest.mark.parametrize(
    ("scope", "recursive", "path", "reachable"),
    [
        ("/", False, "/", True),
        ("/", False, "/my-app", False),
        ("/", True, "/my-app", True),
        ("/my-app", False, "/", True),
        ("/my-app", False, "/my-app", True),
        ("/my-app", True, "/other", False),
        ("/my-app", True, "/my-app2", False),
        ("my-app", True, "/my-app/sub", True),
    ],
)
def test_a_path_outside_of_what_is_listed_is_refused(
    scope: str, recursive: bool, path: str, reachable: bool
) -> None:
    criteria = wanted(path=path)
    if reachable:
        assert check_find(criteria, scope_path=scope, recursive=recursive) == path
    else:
        with pytest.raises(ContentFault) as caught:
            check_find(criteria, scope_path=scope, recursive=recursive)
        assert (caught.value.kind, caught.value.path) == (FaultKind.FIND_PATH_UNREACHABLE, path)


def test_the_nearest_of_several_with_one_name_wins_and_the_others_are_named() -> None:
    candidates = [imported("A"), at("/s/z/A"), at("/s/b/c/A"), at("/s/b/A"), at("/s/x/B")]
    found = taken(candidates, wanted(""), scope_path="/s")
    assert values(found) == {"A": "/s/b/A", "B": "/s/x/B"}
    assert found.collisions == (Collision("A", "/s/b", ("/s/z", "/s/b/c", None)),)


def test_names_collide_only_after_the_filter() -> None:
    found = taken([at("/A"), at("/far/away/A")], wanted(path="/far"))
    assert values(found) == {"A": "/far/away/A"}
    assert found.collisions == ()


def test_a_secret_whose_value_is_denied_is_named_and_never_a_value() -> None:
    candidates = [Candidate("A", "/", HIDDEN), at("/sub/A"), at("/B"), Candidate("C", "/", HIDDEN)]
    found = taken(candidates, wanted("[AB]"))
    assert (values(found), found.hidden) == ({"B": "/B"}, ("A",))
