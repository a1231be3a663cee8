"""What a platform does with Harbor's projects and members, by a client that is made from Harbor's own description.

    python main.py URL                          with open access
    python main.py URL NAME PASSWORD ACCOUNT    as NAME, who may do everything, with closed access

The project "charted" is there and has a chart; ACCOUNT is there, may do nothing yet, and has the same password. Ends
with a traceback where anything is not as it should be.
"""

import asyncio
import sys

from harborapi import HarborAsyncClient
from harborapi.exceptions import Conflict, Forbidden, NotFound, PreconditionFailed, Unauthorized
from harborapi.models import ProjectMetadata, ProjectReq


async def fails(error, awaitable):
    """The message of the refusal that must come."""
    try:
        await awaitable
    except error as refusal:
        return str(refusal.errors)
    raise AssertionError(f"no {error.__name__} came")


async def projects(client, owner):
    assert (await client.get_system_info()).harbor_version.startswith("v2.")
    assert not await client.project_exists("t-chart-ns")
    request = ProjectReq(project_name="t-chart-ns", metadata=ProjectMetadata(public="false"), storage_limit=-1)
    location = await client.create_project(request)
    assert location.endswith("/projects/t-chart-ns"), location
    assert await client.project_exists("t-chart-ns")
    await fails(Conflict, client.create_project(request))

    project = await client.get_project("t-chart-ns")
    assert (project.name, project.owner_name, project.metadata.public) == ("t-chart-ns", owner, "false"), project
    assert 0 < project.project_id < 2**31
    assert (await client.get_project(project.project_id)).name == "t-chart-ns"
    await client.create_project(ProjectReq(project_name="t-chart-ns2", public=True))
    # One on each page: the client goes from one to the next by the links in the answers.
    names = [each.name for each in await client.get_projects(name="t-chart", page_size=1)]
    assert names == ["t-chart-ns", "t-chart-ns2"], names
    assert [each.name for each in await client.get_projects(query="name=t-chart-ns")] == ["t-chart-ns"]
    assert [each.name for each in await client.get_projects(public=True)] == ["t-chart-ns2"]

    await client.update_project("t-chart-ns", ProjectReq(metadata=ProjectMetadata(public="true")))
    assert (await client.get_project("t-chart-ns")).metadata.public == "true"

    assert await client.get_repositories("t-chart-ns") == []
    assert (await client.get_project_deletable("t-chart-ns")).deletable
    assert not (await client.get_project_deletable("charted")).deletable
    message = await fails(PreconditionFailed, client.delete_project("charted"))
    assert "the project contains helm charts, can not be deleted" in message, message
    # Deleted and made again at once, as platforms do: it is a new one.
    await client.delete_project(project.project_id)
    await fails(NotFound, client.get_project(project.project_id))
    await client.create_project(request)
    assert (await client.get_project("t-chart-ns")).metadata.public == "false"


async def members(client, account, password):
    member = HarborAsyncClient(url=client.url, username=account, secret=password)
    assert not await member.project_exists("t-chart-ns")
    location = await client.add_project_member_user("t-chart-ns", account, 2)
    await fails(Conflict, client.add_project_member_user("t-chart-ns", account, 3))
    await fails(NotFound, client.add_project_member_user("t-chart-ns", "nobody", 3))
    [listed] = await client.get_project_members("t-chart-ns", entity_name=account[1:])
    assert (listed.entity_name, listed.role_name, listed.entity_type) == (account, "developer", "u"), listed
    assert location.endswith(f"/members/{listed.id}"), location
    assert await client.get_project_member("t-chart-ns", listed.id) == listed

    await client.update_project_member_role("t-chart-ns", listed.id, 4)
    assert (await client.get_project_member("t-chart-ns", listed.id)).role_name == "maintainer"
    await fails(Forbidden, member.add_project_member_user("t-chart-ns", "admin", 1))
    await fails(Forbidden, member.create_project(ProjectReq(project_name="own")))
    await client.remove_project_member("t-chart-ns", listed.id)
    assert await client.get_project_members("t-chart-ns") == []
    await fails(NotFound, client.get_project_member("t-chart-ns", listed.id))
    # Without the project its members are gone too.
    await client.add_project_member_user("t-chart-ns", listed.entity_id, 3)
    await client.delete_project("t-chart-ns")
    await client.create_project(ProjectReq(project_name="t-chart-ns"))
    assert await client.get_project_members("t-chart-ns") == []


async def main(url, username="anyone", password="anything", account=None):
    client = HarborAsyncClient(url=f"{url}/api/v2.0", username=username, secret=password)
    assert (await client.get_current_user()).username == username
    await projects(client, username)
    if account is None:
        return
    wrong = HarborAsyncClient(url=client.url, username=username, secret="wrong")
    await fails(Unauthorized, wrong.get_current_user())
    await members(client, account, password)


asyncio.run(main(*sys.argv[1:]))
