import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.content.faults import ContentFault, FaultKind
from reconciler.content.keys import Location, is_within, normalise_folder, resolve_key

SEGMENT = st.text("abcXYZ019_-. ", min_size=1, max_size=6).filter(lambda text: text.strip(". ") != "")


@pytest.mark.statement("S44")
@pytest.mark.parametrize("secrets_path", ["/team/app", "team/app", "/team/app/", "//team//app"])
def test_a_bare_name_lies_in_the_scopes_folder(secrets_path: str) -> None:
    assert resolve_key(secrets_path, "FOO") == Location("/team/app", "FOO")


@pytest.mark.statement("S84")
@pytest.mark.parametrize("secrets_path", ["/", "", "//"])
def test_the_scopes_folder_may_be_the_root(secrets_path: str) -> None:
    assert resolve_key(secrets_path, "FOO") == Location("/", "FOO")


@pytest.mark.statement("S45")
@pytest.mark.statement("S87")
@pytest.mark.parametrize(
    ("key", "folder"),
    [
        ("/my-app/FOO", "/my-app"),
        ("/FOO", "/"),
        ("//FOO", "/"),
        ("/a//b/FOO", "/a/b"),
        ("/a/./b/FOO", "/a/b"),
    ],
)
def test_a_leading_slash_makes_the_key_absolute_whatever_the_scope_says(key: str, folder: str) -> None:
    assert resolve_key("/elsewhere", key) == Location(folder, "FOO")


@pytest.mark.statement("S46")
@pytest.mark.parametrize(
    ("key", "folder"),
    [("sub/FOO", "/team/sub"), ("a/b/FOO", "/team/a/b"), ("./FOO", "/team"), ("sub//FOO", "/team/sub")],
)
def test_a_slash_further_on_means_a_folder_below_the_scope(key: str, folder: str) -> None:
    assert resolve_key("/team", key) == Location(folder, "FOO")


@pytest.mark.statement("S61")
@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("", FaultKind.KEY_EMPTY),
        ("  ", FaultKind.KEY_EMPTY),
        ("/", FaultKind.KEY_ENDS_WITH_SLASH),
        ("folder/", FaultKind.KEY_ENDS_WITH_SLASH),
        ("..", FaultKind.KEY_CLIMBS),
        ("../FOO", FaultKind.KEY_CLIMBS),
        ("/a/../FOO", FaultKind.KEY_CLIMBS),
        ("a/..", FaultKind.KEY_CLIMBS),
    ],
)
def test_a_key_that_names_no_secret_is_refused(key: str, kind: FaultKind) -> None:
    with pytest.raises(ContentFault) as caught:
        resolve_key("/team", key)
    assert (caught.value.kind, caught.value.key) == (kind, key)


def test_dots_inside_a_name_are_part_of_it() -> None:
    assert resolve_key("/", "a/app..prod.yaml") == Location("/a", "app..prod.yaml")


def test_a_scope_that_climbs_is_refused_where_it_is_used() -> None:
    with pytest.raises(ContentFault) as caught:
        resolve_key("/a/../b", "FOO")
    assert (caught.value.kind, caught.value.path) == (FaultKind.PATH_CLIMBS, "/a/../b")
    assert resolve_key("/a/../b", "/c/FOO") == Location("/c", "FOO")


@given(st.lists(SEGMENT, max_size=4), SEGMENT)
def test_every_place_can_be_named_absolutely(segments: list[str], name: str) -> None:
    folder = "/" + "/".join(segments)
    prefix = folder if folder == "/" else folder + "/"
    assert resolve_key("/scope", prefix + name) == Location(folder, name)


@given(st.text("ab/.", max_size=12))
def test_a_normalised_folder_is_normal(path: str) -> None:
    if ".." in path.split("/"):
        with pytest.raises(ContentFault):
            normalise_folder(path)
        return
    folder = normalise_folder(path)
    assert folder.startswith("/")
    assert "//" not in folder
    assert folder == "/" or not folder.endswith("/")
    assert normalise_folder(folder) == folder


def test_a_folder_contains_whole_segments_only() -> None:
    assert is_within("/my-app", "/my-app")
    assert is_within("/my-app", "/my-app/sub")
    assert not is_within("/my-app", "/my-app2")
    assert is_within("/", "/anything")
