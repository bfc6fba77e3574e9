import pytest

from catalog.indexer import categories

NAMES = [
    ("vpc", "networking"), ("aws/rds-main", "database"), ("eks-addons", "compute"), ("vpc-flow-logs-bucket", "observability"),
    ("api-gateway-rest", "integration"), ("network-firewall", "networking"), ("step-functions", "integration"), ("security-monitoring", "security"),
    ("cost-optimization", "finops"), ("aws-config", "security"), ("aws-team-roles", "security"), ("github-oidc-provider", "platform"),
    ("azure/frontdoor", "networking"), ("azure/keyvault", "security"), ("azure/loganalytics", "observability"), ("gcp/folder", "platform"),
    ("gcp/net-ilb-l4", "networking"), ("athena-workgroup", "analytics"), ("auto-scaling", "compute"), ("application-gateway", "networking"),
    ("_library/data-platform/glue-catalog", "analytics"), ("_library/cicd/codebuild-project/v1.0.0", "platform"), ("networking/core", "networking"),
    ("widget", None), ("", None), ("v1.0.0", None), ("a/b/c", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "category"), NAMES)
def test_a_name_speaks_for_a_category(name, category):
    """The last part of a name speaks first, pairs of words before single ones, then the folders around it; versions say nothing."""
    assert categories.derived(name) == category


RESOURCES = [
    ({"aws_sqs_queue": 1}, "integration"),
    ({"aws_iam_role": 9, "aws_iam_role_policy": 9, "aws_kms_key": 1, "aws_db_instance": 1}, "database"),
    ({"aws_iam_role": 2, "aws_cloudwatch_log_group": 1}, "security"),
    ({"aws_subnet": 3, "aws_instance": 1}, "networking"),
    ({"azurerm_kubernetes_cluster": 1}, "compute"),
    ({"google_sql_database_instance": 1}, "database"),
    ({"aws_security_group": 2}, "security"),
    ({"datadog_monitor": 4}, "observability"),
    ({"github_repository": 1}, "platform"),
    ({"helm_release": 1}, "compute"),
    ({"aws_api_gateway_rest_api": 1}, "integration"),
    ({"null_resource": 1, "random_id": 1}, None),
    ({}, None),
]


@pytest.mark.parametrize(("resources", "category"), RESOURCES)
def test_a_name_that_says_nothing_leaves_it_to_the_resources(resources, category):
    """Most blocks decide; what every component has on the side, roles, keys and logs, counts only where there is nothing else."""
    assert categories.derived("widget", resources) == category


def test_the_name_goes_before_resources_and_these_before_folders():
    """A component is what it is called; its folder is the last to be asked."""
    assert categories.derived("storage/vpc", {"aws_instance": 5}) == "networking"
    assert categories.derived("storage/widget", {"aws_instance": 5}) == "compute"
    assert categories.derived("storage/widget") == "storage"


def test_every_word_speaks_for_one_category():
    """No word stands in two rows of the table."""
    words = [word for words in categories._WORDS.values() for word in words.split()]

    assert sorted(words) == sorted(set(words))
