"""What is created can be listed, retrieved, updated and deleted, whatever it is."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

PROJECTS = "/organization/projects"


async def test_an_object_lives_from_its_creation_to_its_deletion(running: Any) -> None:
    made = await running.made("/organization/groups", {"name": "Support"})
    path = f"/organization/groups/{made['id']}"
    assert (await running.call("GET", path))[1]["name"] == "Support"
    assert (await running.made(path, {"name": "Care"}))["name"] == "Care"
    assert (await running.call("GET", path))[1]["name"] == "Care"
    listed = await running.call("GET", "/organization/groups")
    assert [one["name"] for one in listed[1]["data"]] == ["Care"]
    status, body = await running.call("DELETE", path)
    assert (status, body["deleted"], body["id"]) == (200, True, made["id"])
    assert (await running.call("GET", path))[0] == 404
    assert (await running.call("DELETE", path))[0] == 404


async def test_cursors_lead_through_all_pages_in_both_orders(running: Any) -> None:
    names = [f"alert {number}" for number in range(7)]
    path = "/organization/spend_alerts"
    payload = {
        "threshold_amount": 5,
        "currency": "USD",
        "interval": "month",
        "notification_channel": {"type": "email", "recipients": ["ada@example.com"]},
    }
    made = [await running.made(path, {**payload, "threshold_amount": n + 1}) for n in range(len(names))]
    ids = [one["id"] for one in made]
    for order, expected in (("asc", ids), ("desc", ids[::-1])):
        seen: list[str] = []
        after = ""
        for _ in range(4):
            status, body = await running.call("GET", f"{path}?limit=2&order={order}{after}")
            assert status == 200
            seen += [one["id"] for one in body["data"]]
            assert (body["first_id"], body["last_id"]) == (body["data"][0]["id"], body["data"][-1]["id"])
            after = f"&after={body['last_id']}"
        assert (seen, body["has_more"]) == (expected, False)


async def test_before_gives_the_page_that_comes_just_before(running: Any) -> None:
    made = [await running.made("/organization/spend_alerts", _alert(n)) for n in range(6)]
    ids = [one["id"] for one in made]
    path = f"/organization/spend_alerts?limit=2&order=asc&before={ids[4]}"
    body = (await running.call("GET", path))[1]
    assert ([one["id"] for one in body["data"]], body["has_more"]) == (ids[2:4], True)


def _alert(number: int) -> dict[str, object]:
    channel = {"type": "email", "recipients": ["ada@example.com"]}
    return {"threshold_amount": number + 1, "currency": "USD", "interval": "month", "notification_channel": channel}


async def test_lists_that_page_by_next_lead_on_by_it(running: Any) -> None:
    for number in range(3):
        await running.made("/organization/groups", {"name": f"group {number}"})
    first = (await running.call("GET", "/organization/groups?limit=2"))[1]
    assert first["has_more"] is True
    rest = (await running.call("GET", f"/organization/groups?limit=2&after={first['next']}"))[1]
    assert [one["name"] for one in (*first["data"], *rest["data"])] == ["group 0", "group 1", "group 2"]
    assert (rest["has_more"], rest["next"]) == (False, None)


async def test_an_empty_list_has_no_ends(running: Any) -> None:
    body = (await running.call("GET", PROJECTS))[1]
    assert (body["data"], body["has_more"]) == ([], False)


async def test_a_cursor_that_leads_nowhere_is_refused_unless_lenient(running: Any, start: Any) -> None:
    status, body = await running.call("GET", f"{PROJECTS}?after=proj_gone")
    assert (status, body["error"]["code"]) == (400, "invalid_cursor")
    assert (await (await start(lenient=True)).call("GET", f"{PROJECTS}?after=proj_gone"))[0] == 200


async def test_archived_projects_are_listed_when_they_are_asked_for(running: Any) -> None:
    made = await running.made(PROJECTS, {"name": "old"})
    archived = await running.made(f"{PROJECTS}/{made['id']}/archive", None)
    assert (archived["status"], archived["archived_at"] is not None) == ("archived", True)
    assert (await running.call("GET", PROJECTS))[1]["data"] == []
    assert len((await running.call("GET", f"{PROJECTS}?include_archived=true"))[1]["data"]) == 1


async def test_an_id_that_the_payload_names_is_the_objects_own(running: Any) -> None:
    project = (await running.made(PROJECTS, {"name": "one"}))["id"]
    await running.made(f"{PROJECTS}/{project}/users", {"user_id": "user-ada", "role": "member"})
    status, body = await running.call("GET", f"{PROJECTS}/{project}/users/user-ada")
    assert (status, body["role"]) == (200, "member")
    assert (await running.call("DELETE", f"{PROJECTS}/{project}/users/user-ada"))[0] == 200


async def test_objects_of_one_parent_are_not_those_of_another(running: Any) -> None:
    one, other = [(await running.made(PROJECTS, {"name": name}))["id"] for name in ("one", "other")]
    await running.made(f"{PROJECTS}/{one}/service_accounts", {"name": "robot"})
    assert len((await running.call("GET", f"{PROJECTS}/{one}/service_accounts"))[1]["data"]) == 1
    assert (await running.call("GET", f"{PROJECTS}/{other}/service_accounts"))[1]["data"] == []


async def test_certificates_are_switched_on_and_off(running: Any) -> None:
    content = "-----BEGIN CERTIFICATE-----"
    made = await running.made("/organization/certificates", {"name": "c", "certificate": content})
    path = "/organization/certificates"
    for verb, active in (("activate", True), ("deactivate", False)):
        body = await running.made(f"{path}/{verb}", {"certificate_ids": [made["id"]]})
        assert [(one["id"], one["active"]) for one in body["data"]] == [(made["id"], active)]
        assert (await running.call("GET", f"{path}/{made['id']}"))[1].get("active", active) is active


async def test_what_there_is_one_of_is_there_from_the_start_and_can_be_set(running: Any) -> None:
    path = "/organization/data_retention"
    before = (await running.call("GET", path))[1]
    after = await running.made(path, {"retention_type": "modified_abuse_monitoring"})
    assert after["type"] == before["type"] or after != before
    assert (await running.call("GET", path))[0] == 200


async def test_users_that_nobody_made_are_there_from_the_start(running: Any) -> None:
    users = (await running.call("GET", "/organization/users?limit=1"))[1]
    assert users["has_more"] is True
    path = f"/organization/users/{users['data'][0]['id']}"
    assert (await running.made(path, {"role": "owner"}))["role"] == "owner"
    assert (await running.call("DELETE", path))[0] == 200
    left = (await running.call("GET", "/organization/users"))[1]["data"]
    assert path.rpartition("/")[2] not in [one["id"] for one in left]


async def test_filters_keep_what_they_name(running: Any) -> None:
    users = (await running.call("GET", "/organization/users?emails[]=ada@example.com"))[1]["data"]
    assert [one["email"] for one in users] == ["ada@example.com"]


async def test_forms_with_nested_names_become_payloads(running: Any) -> None:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("name", "Ada")
    form.add_field("language", "en-US")
    form.add_field("recording", b"RIFF", filename="consent.wav", content_type="audio/wav")
    status, body = await running.call("POST", "/audio/voice_consents", data=form)
    assert (status, body["name"], body["language"]) == (200, "Ada", "en-US")
    assert running.sandbox.requests[-1]["payload"]["recording"] == {
        "filename": "consent.wav",
        "content_type": "audio/wav",
        "bytes": 4,
    }


@pytest.mark.parametrize("times", [1, 2])
async def test_the_same_seed_and_requests_give_the_same_answers(start: Any, times: int) -> None:
    answers = []
    for _ in range(2):
        running = await start(seed=times, clock=lambda: 1_767_225_600.0)
        answers.append([await running.made(PROJECTS, {"name": "one"}) for _ in range(times)])
    assert answers[0] == answers[1]
    other = await start(seed=99, clock=lambda: 1_767_225_600.0)
    assert (await other.made(PROJECTS, {"name": "one"}))["id"] != answers[0][0]["id"]
