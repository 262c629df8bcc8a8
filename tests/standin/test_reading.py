"""Listings and single reads of a current server, where they differ from the recorded, older ones."""

import pytest

from reconciler.standin import (
    NO_ACCESS,
    Age,
    Options,
    names_only,
    read_below,
    read_named,
)
from tests.standin.user import User, a_server, body, trouble, value, values


@pytest.mark.parametrize(
    ("known", "other"), [("includeImports", "include_imports"), ("include_imports", "includeImports")]
)
def test_v4_obeys_the_flag_for_imports_by_the_one_name_that_it_knows(known: str, other: str) -> None:
    server, project = a_server(options=Options(imports_flag=known))
    user = User(server, project)
    project.set_secret("prod", "/shared", "KEY", "imported")
    project.add_import("dev", "/", source_environment="prod", source_path="/shared")
    assert body(user.read(**{known: "false"}))["imports"] == []
    assert len(body(user.read(**{other: "false"}))["imports"]) == 1


def test_v4_includes_imports_and_expands_references_unless_told_otherwise_and_v3_does_neither() -> None:
    server, project = a_server()
    user = User(server, project)
    project.set_secret("dev", "/", "A", "<${B}>")
    project.set_secret("dev", "/", "B", "b")
    assert values(user.read())["A"] == "<b>"
    assert values(user.read(expandSecretReferences="false"))["A"] == "<${B}>"
    old = user.ask("GET", "/v3/secrets/raw", workspaceId=project.id, environment="dev")
    assert values(old)["A"] == "<${B}>"


def test_a_flag_is_one_of_the_words_true_and_false() -> None:
    server, project = a_server()
    answer = User(server, project).read(recursive="1")
    assert (answer.status, body(answer)["error"]) == (422, "ValidationFailure")


def test_of_several_imports_the_last_one_wins_and_the_folders_own_secret_before_all() -> None:
    server, project = a_server()
    user = User(server, project)
    for path in ("/first", "/last"):
        project.set_secret("prod", path, "BOTH", path)
        project.set_secret("prod", path, "OWN", path)
        project.add_import("dev", "/app", source_environment="prod", source_path=path)
    project.set_secret("dev", "/app", "OWN", "own")
    assert value(user.read("BOTH", "/app")) == "/last"
    assert value(user.read("OWN", "/app")) == "own"
    assert [block["secretPath"] for block in body(user.read("", "/app"))["imports"]] == ["/first", "/last"]


def test_an_imported_secret_names_its_folder_on_a_single_read_but_not_in_a_listing() -> None:
    server, project = a_server()
    user = User(server, project)
    project.set_secret("prod", "/shared", "KEY", "v")
    project.add_import("dev", "/", source_environment="prod", source_path="/shared")
    assert body(user.read("KEY"))["secret"]["secretPath"] == "/shared"
    (block,) = body(user.read())["imports"]
    assert "secretPath" not in block["secrets"][0]


@pytest.mark.parametrize("recursive", ["true", "false"])
@pytest.mark.parametrize(("environment", "path"), [("dev", "/nowhere"), ("nowhere", "/")])
def test_an_absent_folder_or_environment_is_refused_and_an_empty_folder_is_not(
    recursive: str, environment: str, path: str
) -> None:
    server, project = a_server()
    user = User(server, project)
    status, message = trouble(user.read("", path, environment=environment, recursive=recursive))
    assert (status, message) == (
        404,
        f"Folder with path '{path}' in environment with slug '{environment}' not found",
    )
    assert values(user.read("", "/", recursive=recursive)) == {}


def test_a_folder_without_any_right_lists_as_empty_and_only_a_single_read_tells() -> None:
    server, project = a_server()
    project.set_secret("dev", "/", "KEY", "v")
    user = User(server, project, NO_ACCESS)
    assert values(user.read()) == {}
    assert trouble(user.read("ANY"))[0] == 403


def test_a_listing_is_refused_as_a_whole_for_one_value_that_may_not_be_seen() -> None:
    server, project = a_server()
    project.set_secret("dev", "/", "OPEN", "v")
    project.set_secret("dev", "/", "CLOSED", "v")
    user = User(server, project, names_only("dev", "/") + read_named("dev", "/", "OPEN"))
    assert trouble(user.read())[0] == 403
    assert value(user.read("OPEN")) == "v"
    assert trouble(user.read("CLOSED"))[0] == 403
    assert values(user.read(recursive="true")) == {"OPEN": "v"}


def test_a_listing_is_refused_as_a_whole_for_one_reference_that_may_not_be_read() -> None:
    server, project = a_server()
    project.set_secret("dev", "/", "TARGET", "v")
    project.set_secret("dev", "/app", "POINTER", "${dev.TARGET}")
    project.set_secret("dev", "/app", "PLAIN", "v")
    user = User(server, project, read_below("dev", "/app"))
    assert trouble(user.read("", "/app"))[0] == 403
    assert value(user.read("PLAIN", "/app")) == "v"
    assert trouble(user.read("POINTER", "/app"))[0] == 403
    assert values(user.read("", "/app", expandSecretReferences="false"))["POINTER"] == "${dev.TARGET}"


def test_values_can_be_hidden_on_demand_or_by_a_server_that_hides_in_place_of_refusing() -> None:
    server, project = a_server(options=Options(hides_values=True))
    project.set_secret("dev", "/", "KEY", "v")
    user = User(server, project, names_only("dev", "/"))
    (secret,) = body(user.read())["secrets"]
    assert (secret["secretValueHidden"], secret["secretValue"]) == (True, "<hidden-by-infisical>")
    assert body(user.read("KEY"))["secret"]["secretValueHidden"] is True
    reader = User(server, project)
    assert body(reader.read("KEY"))["secret"]["secretValueHidden"] is False
    assert body(reader.read("KEY", viewSecretValue="false"))["secret"]["secretValueHidden"] is True


def test_a_reference_to_an_empty_secret_becomes_empty_on_a_current_server() -> None:
    server, project = a_server()
    project.set_secret("dev", "/", "EMPTY", "")
    project.set_secret("dev", "/", "KEY", "<${EMPTY}>")
    assert value(User(server, project).read("KEY")) == "<>"


def test_a_single_read_of_a_reference_into_an_absent_folder_breaks_on_servers_of_2025_alone() -> None:
    for age, status in ((Age.CURRENT, 200), (Age.YEAR_2025, 500), (Age.YEAR_2024, 200)):
        server, project = a_server(age)
        project.set_secret("dev", "/", "KEY", "<${dev.gone.KEY}>")
        answer = User(server, project).ask(
            "GET",
            "/v3/secrets/raw/KEY",
            workspaceId=project.id,
            environment="dev",
            expandSecretReferences="true",
        )
        assert answer.status == status


def test_skip_multiline_encoding_puts_an_expanded_value_with_line_breaks_into_quotes() -> None:
    server, project = a_server()
    project.set_secret("dev", "/", "NAME", "b")
    project.set_secret("dev", "/", "QUOTED", "a\n${NAME}", skip_multiline_encoding=True)
    project.set_secret("dev", "/", "PLAIN", "a\nb", skip_multiline_encoding=True)
    listed = values(User(server, project).read())
    assert listed["QUOTED"] == '"a\\nb"'
    assert listed["PLAIN"] == "a\nb"


def test_a_name_over_a_hundred_characters_is_answered_as_a_missing_route_but_is_listed() -> None:
    server, project = a_server()
    name = "N" * 101
    project.set_secret("dev", "/", name, "v")
    user = User(server, project)
    answer = user.read(name)
    assert (answer.status, body(answer)["error"], "reqId" in body(answer)) == (404, "Not Found", False)
    assert body(answer)["message"].startswith(f"Route GET:/api/v4/secrets/{name}?")
    assert values(user.read()) == {name: "v"}


@pytest.mark.parametrize("name", ["", "KEY"])
def test_what_the_client_has_already_is_answered_304_without_a_body(name: str) -> None:
    server, project = a_server()
    project.set_secret("dev", "/", "KEY", "v")
    user = User(server, project)
    place = {"projectId": project.id, "environment": "dev"}
    path = f"/v4/secrets/{name}" if name else "/v4/secrets"
    etag = user.ask("GET", path, **place).headers["etag"]
    again = user.ask("GET", path, if_none_match=etag, **place)
    assert (again.status, again.body) == (304, b"")
    project.set_secret("dev", "/", "KEY", "w")
    assert user.ask("GET", path, if_none_match=etag, **place).status == 200


def test_a_persons_own_secret_is_shown_to_that_person_alone_and_by_v4_on_demand() -> None:
    server, project = a_server()
    user = User(server, project)
    project.set_secret("dev", "/", "MINE", "shared")
    project.set_secret("dev", "/", "MINE", "own", owner=user.identity)
    assert values(user.read()) == {"MINE": "shared"}
    assert len(body(user.read(includePersonalOverrides="true"))["secrets"]) == 2
    assert len(body(User(server, project).read(includePersonalOverrides="true"))["secrets"]) == 1


def test_a_project_is_found_by_both_routes_and_with_an_underscore_in_its_slug_by_v3_reads_alone() -> None:
    server, project = a_server()
    project.set_secret("dev", "/", "KEY", "v")
    user = User(server, project)
    for path in ("/v1/projects/slug", "/v2/workspace"):
        assert body(user.ask("GET", f"{path}/my-project"))["id"] == project.id
        assert trouble(user.ask("GET", f"{path}/nobody"))[0] == 404
        assert user.ask("GET", f"{path}/{'x' * 64}").status == 404
        assert user.ask("GET", f"{path}/{'x' * 65}").status == 422
    project.rename("my_project")
    assert user.ask("GET", "/v1/projects/slug/my_project").status == 422
    found = user.ask("GET", "/v3/secrets/raw", workspaceSlug="my_project", environment="dev")
    assert values(found) == {"KEY": "v"}


def test_a_project_made_again_under_its_slug_has_another_id_and_the_same_members() -> None:
    server, project = a_server()
    user = User(server, project)
    again = server.remake_project("my-project")
    status, message = trouble(user.read())
    assert (status, message.startswith(f"Project with ID '{project.id}' not found")) == (404, True)
    assert body(user.ask("GET", "/v1/projects/slug/my-project"))["id"] == again.id != project.id


def test_an_all_in_one_image_leaves_unknown_paths_to_its_web_pages() -> None:
    server, project = a_server(Age.YEAR_2024, options=Options(web_pages=True))
    answer = User(server, project).ask("GET", "/v4/secrets")
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/html")


def test_a_recursive_listing_takes_folders_by_the_text_of_their_path_on_servers_of_2024_alone() -> None:
    for age, found in ((Age.CURRENT, {"A"}), (Age.YEAR_2025, {"A"}), (Age.YEAR_2024, {"A", "B"})):
        server, project = a_server(age)
        project.set_secret("dev", "/app/below", "A", "v")
        project.set_secret("dev", "/app2", "B", "v")
        project.add_folder("dev", "/app")
        place = {"workspaceId": project.id, "environment": "dev", "secretPath": "/app", "recursive": "true"}
        assert values(User(server, project).ask("GET", "/v3/secrets/raw", **place)).keys() == found


def test_a_folder_without_any_right_is_refused_by_servers_of_2024_and_lists_as_empty_on_others() -> None:
    for age, status in ((Age.CURRENT, 200), (Age.YEAR_2025, 200), (Age.YEAR_2024, 401)):
        server, project = a_server(age)
        user = User(server, project, NO_ACCESS)
        assert user.ask("GET", "/v3/secrets/raw", workspaceId=project.id, environment="dev").status == status
