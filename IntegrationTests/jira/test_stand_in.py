"""The Jira stand-in behaves as Jira Cloud does for those who know it best: Jira's public Python clients."""

import json
import os
import urllib.error
import urllib.request

import pytest
from atlassian import Jira as AtlassianJira
from jira import JIRA, JIRAError

from environment import needed

USER, TOKEN = "test@example.com", "test-token"


@pytest.fixture(scope="module")
def url():
    return needed("GANTRY_TEST_JIRA_URL")


@pytest.fixture(scope="module")
def client(url):
    return JIRA(server=url, basic_auth=(USER, TOKEN), options={"rest_api_version": "3"}, max_retries=0)


def post(url, path, body, **headers):
    request = urllib.request.Request(
        url + path, json.dumps(body).encode(), {"Content-Type": "application/json"} | headers, method="POST"
    )
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_projects(client):
    assert sorted(project.key for project in client.projects()) == ["ENG", "OPS", "SEC"]


def test_myself(client):
    assert client.myself()["emailAddress"] == USER


def test_every_issue_is_found_page_by_page(client):
    issues = client.enhanced_search_issues("project = ENG ORDER BY key", maxResults=0)
    assert [issue.key for issue in issues] == [f"ENG-{n}" for n in range(1, 161)]
    page = client.enhanced_search_issues("project = ENG", maxResults=30)
    assert len(page) == 30 and page.nextPageToken


def test_an_issue_in_full(client):
    issue = client.issue("eng-1")
    assert issue.key == "ENG-1" and issue.fields.project.key == "ENG"
    assert issue.fields.status.statusCategory.id in (2, 3, 4)


def test_filters(client):
    found = client.enhanced_search_issues(
        "project = OPS AND status = 'To Do' AND priority in (High, Highest) ORDER BY priority DESC, key",
        maxResults=0, fields="status,priority",
    )
    assert found and all(issue.fields.status.name == "To Do" for issue in found)
    ranks = ["Highest", "High"]
    assert [issue.fields.priority.name for issue in found] == sorted(
        (issue.fields.priority.name for issue in found), key=ranks.index
    )
    unassigned = client.enhanced_search_issues("project = OPS AND assignee is EMPTY", maxResults=0, fields="assignee")
    assert unassigned and all(issue.fields.assignee is None for issue in unassigned)


@pytest.mark.parametrize("jql", ["project = NOPE", "project = ENG AND", "status = 'x", "(project = ENG", "colour = red"])
def test_bad_queries(client, jql):
    with pytest.raises(JIRAError) as error:
        client.enhanced_search_issues(jql)
    assert error.value.status_code == 400


def test_no_such_issue(client):
    with pytest.raises(JIRAError) as error:
        client.issue("ENG-9999")
    assert error.value.status_code == 404


def test_the_old_search_is_gone(url):
    assert post(url, "/rest/api/3/search", {"jql": "project = ENG"})[0] == 410


def test_wrong_credentials_are_nobody(url):
    import base64
    basic = base64.b64encode(f"{USER}:wrong".encode()).decode()
    status, headers, body = post(url, "/rest/api/3/search/jql", {"jql": "project = ENG"}, Authorization=f"Basic {basic}")
    assert status == 200 and json.loads(body)["issues"] == []
    assert headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
    assert post(url, "/rest/api/3/search/jql", {}, Authorization="Bearer abc")[0] == 403


@pytest.mark.parametrize(
    "body", [{"jql": "", "maxResults": 10}, {"jql": "project = ENG", "maxResults": 0}, {"jql": "project = ENG", "startAt": 5},
             {"jql": "project = ENG", "nextPageToken": "bad"}]
)
def test_bad_searches(url, body):
    assert post(url, "/rest/api/3/search/jql", body)[0] == 400


def test_the_other_client(url):
    client = AtlassianJira(url=url, username=USER, password=TOKEN, cloud=True)
    assert client.issue("SEC-3")["key"] == "SEC-3"
    assert {project["key"] for project in client.projects(included_archived=None)} == {"ENG", "OPS", "SEC"}
