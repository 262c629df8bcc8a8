"""Writes to a current server: policies, batches, folders, and what is stored of a value."""

import pytest

from reconciler.standin import Age, Kind, read_below, write_below
from tests.standin.user import User, a_server, body, trouble, value, values


def pair(key: str, text: str = "v", **more: str) -> dict[str, str]:
    return {"secretKey": key, "secretValue": text, **more}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  two words  ", "two words"),
        ("a \n\n", "a\n"),
        ("\n", "\n"),
        ("a\n ", "a"),
        ("\u00a0a\ufeff", "a"),
        ("", ""),
    ],
)
def test_white_space_at_the_ends_goes_but_for_one_final_line_break(written: str, kept: str) -> None:
    server, project = a_server()
    user = User(server, project)
    user.write("POST", "KEY", secretValue=written)
    user.write("POST", "batch", secrets=[pair("BATCHED", written)])
    assert project.values("dev", "/") == {"KEY": kept, "BATCHED": kept}


def test_an_update_without_a_value_keeps_it_and_answers_an_empty_one() -> None:
    server, project = a_server()
    user = User(server, project)
    project.set_secret("dev", "/", "KEY", "kept")
    assert value(user.write("PATCH", "KEY", secretComment="why")) == ""
    assert project.values("dev", "/") == {"KEY": "kept"}
    assert project.version("dev", "/", "KEY") == 2


@pytest.mark.parametrize("name", ["A%2FB", "A%3AB"])
def test_slash_and_colon_are_refused_in_new_names(name: str) -> None:
    server, project = a_server()
    assert User(server, project).write("POST", name, secretValue="v").status == 422


def test_a_project_may_demand_capitals() -> None:
    server, _ = a_server()
    project = server.add_project("loud", capitals_only=True)
    user = User(server, project)
    assert trouble(user.write("POST", "quiet", secretValue="v"))[0] == 400
    assert user.write("POST", "LOUD", secretValue="v").status == 200


@pytest.mark.parametrize(("age", "status"), [(Age.CURRENT, 500), (Age.YEAR_2025, 500), (Age.YEAR_2024, 413)])
def test_a_body_over_a_mebibyte_is_refused(age: Age, status: int) -> None:
    server, project = a_server(age)
    place = {"workspaceId": project.id, "environment": "dev", "secretPath": "/"}
    sent = place | {"secretValue": "x" * 1024 * 1024}
    assert User(server, project).ask("POST", "/v3/secrets/raw/KEY", sent).status == status


def test_a_change_policy_keeps_every_kind_of_write_for_a_person_and_merges_when_told() -> None:
    server, project = a_server()
    user = User(server, project)
    project.set_secret("dev", "/", "OLD", "old")
    project.set_secret("dev", "/", "GONE", "old")
    project.add_change_policy("dev", "/")
    answers = [
        user.write("POST", "NEW", secretValue="new"),
        user.write("PATCH", "OLD", secretValue="changed"),
        user.write("DELETE", "GONE"),
        user.write("POST", "batch", secrets=[pair("A"), pair("B")]),
    ]
    for answer in answers:
        assert answer.status == 200
        assert list(body(answer)) == ["approval"]
    assert project.values("dev", "/") == {"OLD": "old", "GONE": "old"}
    for approval in project.approvals:
        project.approve(approval)
    assert project.values("dev", "/") == {"OLD": "changed", "NEW": "new", "A": "v", "B": "v"}


def test_a_change_policy_may_let_machines_pass_and_on_older_servers_always_does() -> None:
    for age, machines_pass in ((Age.CURRENT, True), (Age.YEAR_2025, False), (Age.YEAR_2024, False)):
        server, project = a_server(age)
        project.add_change_policy("dev", machines_pass=machines_pass)
        sent = {"workspaceId": project.id, "environment": "dev", "secretPath": "/", "secretValue": "v"}
        assert "secret" in body(User(server, project).ask("POST", "/v3/secrets/raw/KEY", sent))


def test_a_reference_without_a_target_is_refused_by_servers_of_2025_alone() -> None:
    for age, status in ((Age.CURRENT, 200), (Age.YEAR_2025, 400), (Age.YEAR_2024, 200)):
        server, project = a_server(age)
        user = User(server, project)
        place = {"workspaceId": project.id, "environment": "dev", "secretPath": "/"}
        answer = user.ask("POST", "/v3/secrets/raw/KEY", place | {"secretValue": "${NOBODY}"})
        assert answer.status == status
        if status == 400:
            assert trouble(answer)[1] == "Referenced secret(s) not found: NOBODY"
            batch = place | {"secrets": [pair("A"), pair("B", "${A}")]}
            assert user.ask("POST", "/v3/secrets/batch/raw", batch).status == 400
            away = user.ask("POST", "/v3/secrets/raw/KEY", place | {"secretValue": "${e.KEY}"})
            assert trouble(away)[1] == "Referenced environment not found. Missing e"


def test_a_batch_is_carried_out_as_a_whole_or_not_at_all() -> None:
    server, project = a_server()
    user = User(server, project)
    project.set_secret("dev", "/", "OLD", "old")
    refused = [
        user.write("POST", "batch", secrets=[pair("NEW"), pair("OLD")]),
        user.write("PATCH", "batch", secrets=[pair("OLD"), pair("NEW")]),
        user.write("DELETE", "batch", secrets=[{"secretKey": "OLD"}, {"secretKey": "NEW"}]),
        user.write("POST", "batch", secrets=[pair("NEW"), {"secretKey": "HALF"}]),
        user.write("DELETE", "batch", secrets=[{"secretKey": "OLD"}, {"secretKey": "OLD"}]),
    ]
    assert [answer.status for answer in refused] == [400, 404, 404, 422, 400]
    assert project.values("dev", "/") == {"OLD": "old"}
    assert project.version("dev", "/", "OLD") == 1


def test_a_batch_update_fails_on_absent_names_unless_its_mode_says_otherwise() -> None:
    server, project = a_server()
    user = User(server, project)
    project.set_secret("dev", "/", "OLD", "old")
    secrets = [pair("OLD", "one"), pair("NEW", "one")]
    assert user.write("PATCH", "batch", secrets=secrets, mode="failOnNotFound").status == 404
    assert values(user.write("PATCH", "batch", secrets=secrets, mode="ignore")) == {"OLD": "one"}
    made = body(user.write("PATCH", "batch", secrets=secrets, mode="upsert"))["secrets"]
    assert {s["secretKey"]: s["version"] for s in made} == {"OLD": 3, "NEW": 1}
    assert user.write("PATCH", "batch", secrets=secrets, mode="somehow").status == 422


def test_an_upsert_needs_the_right_to_create() -> None:
    server, project = a_server()
    user = User(server, project, read_below("dev", "/"))
    project.set_secret("dev", "/", "OLD", "old")
    assert user.write("PATCH", "batch", secrets=[pair("OLD")], mode="upsert").status == 403


def test_a_batch_update_of_v4_may_name_a_folder_for_each_secret() -> None:
    server, project = a_server()
    user = User(server, project)
    project.set_secret("dev", "/a", "KEY", "old")
    project.set_secret("dev", "/b", "KEY", "old")
    secrets = [pair("KEY", "in a"), pair("KEY", "in b", secretPath="/b")]
    assert user.write("PATCH", "batch", "/a", secrets=secrets).status == 200
    assert project.values("dev", "/a") == {"KEY": "in a"}
    assert project.values("dev", "/b") == {"KEY": "in b"}


def test_a_name_twice_in_one_creation_makes_two_secrets() -> None:
    server, project = a_server()
    user = User(server, project)
    assert user.write("POST", "batch", secrets=[pair("D", "first"), pair("D", "second")]).status == 200
    assert [s["secretValue"] for s in body(user.read())["secrets"]] == ["first", "second"]


def test_folders_are_made_one_by_one_parents_first() -> None:
    server, project = a_server()
    user = User(server, project)
    place = {"workspaceId": project.id, "environment": "dev"}
    assert user.ask("POST", "/v1/folders", place | {"name": "b", "path": "/a"}).status == 404
    assert user.ask("POST", "/v1/folders", place | {"name": "a", "path": "/"}).status == 200
    assert user.ask("POST", "/v1/folders", place | {"name": "b", "path": "/a"}).status == 200
    assert user.ask("POST", "/v1/folders", place | {"name": "b", "path": "/a"}).status == 400
    assert user.write("POST", "KEY", "/a/b", secretValue="v").status == 200
    assert server.counts()[Kind.FOLDER] == 4


def test_rights_below_a_folder_end_at_it() -> None:
    server, project = a_server()
    for path in ("/app", "/app/inner", "/app2"):
        project.add_folder("dev", path)
    user = User(server, project, write_below("dev", "/app"))
    statuses = {
        path: user.write("POST", "K", path, secretValue="v").status
        for path in ("/app", "/app/inner", "/app2")
    }
    assert statuses == {"/app": 200, "/app/inner": 200, "/app2": 403}


def test_an_update_or_deletion_of_an_absent_secret_is_absent_even_to_those_without_the_right() -> None:
    server, project = a_server()
    project.set_secret("dev", "/", "KEY", "v")
    user = User(server, project, read_below("dev", "/"))
    assert user.write("PATCH", "NOBODY", secretValue="v").status == 404
    assert user.write("DELETE", "NOBODY").status == 404
    assert user.write("DELETE", "KEY").status == 403


def test_folders_are_deleted_with_all_below_them_and_imports_are_made_by_request() -> None:
    server, project = a_server()
    user = User(server, project)
    place = {"workspaceId": project.id, "environment": "dev", "path": "/"}
    project.set_secret("dev", "/gone/below", "KEY", "v")
    project.set_secret("prod", "/shared", "KEY", "imported")
    source = {"environment": "prod", "path": "/shared"}
    assert user.ask("POST", "/v1/secret-imports", place | {"import": source}).status == 200
    assert value(user.read("KEY")) == "imported"
    assert user.ask("DELETE", "/v1/folders/gone", place).status == 200
    assert user.ask("DELETE", "/v1/folders/gone", place).status == 404
    assert user.read("", "/gone/below").status == 404


@pytest.mark.parametrize(("age", "status"), [(Age.YEAR_2025, 200), (Age.YEAR_2024, 400)])
def test_servers_of_2024_know_no_mode_of_a_batch_update(age: Age, status: int) -> None:
    server, project = a_server(age)
    place = {"workspaceId": project.id, "projectSlug": "my-project", "environment": "dev", "secretPath": "/"}
    batch = place | {"mode": "upsert", "secrets": [pair("NEW")]}
    assert User(server, project).ask("PATCH", "/v3/secrets/batch/raw", batch).status == status
