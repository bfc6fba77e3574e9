"""The category of a component that states none, read from its name and its providers' resources. One table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType

# Category → words, or pairs of words, of names and resource types that speak for it.
_WORDS = {
    "analytics": "athena glue emr firehose databricks synapse bigquery dataflow dataproc quicksight lakeformation snowflake datalake "
    "mwaa airflow sagemaker vertex",
    "compute": "eks ecs ec2 gke aks lambda function functions asg autoscaling auto-scaling kubernetes cluster instance instances vm "
    "fargate batch bastion ecr helm karpenter apprunner app-runner cloudrun run-service webapp container containers nomad vmss amplify",
    "database": "rds aurora dynamodb redis elasticache memcached postgres postgresql mysql mariadb mssql mongodb mongodbatlas documentdb "
    "opensearch elasticsearch redshift spanner bigtable cosmosdb cosmos sql database db neptune dms memorydb",
    "finops": "cost costs budget budgets billing finops cur",
    "integration": "sqs sns kafka msk eventbridge kinesis apigateway api-gateway apimanagement api queue topic pubsub servicebus mq ses "
    "rabbitmq stepfunctions step-functions eventgrid eventhub appsync",
    "networking": "vpc network subnet subnets dns route53 zone tgw transit peering alb nlb elb ilb lb loadbalancer cdn cloudfront vpn nat "
    "gateway vnet firewall acm certificate ingress accelerator frontdoor applicationgateway application-gateway cloudflare privatelink "
    "endpoint endpoints direct-connect client-vpn ipam",
    "observability": "monitoring logging logs log cloudwatch grafana prometheus datadog newrelic alerts alerting alarm alarms pagerduty "
    "opsgenie cloudtrail flow-logs observability loki xray appinsights application-insights loganalytics log-analytics",
    "platform": "backend tfstate state account accounts organization organizations folder project platform argocd spacelift atlantis "
    "github gitlab gitops ci cicd codebuild codedeploy codepipeline runner runners backstage ssm parameters",
    "security": "iam kms waf wafv2 guardduty securitygroup security-group sg secrets secretsmanager secret vault keyvault key-vault "
    "security identity sso saml cognito okta auth0 policy policies permission permissions role roles team teams scp securityhub "
    "security-hub macie inspector external-secrets ssosync aws-config compliance shield access-analyzer "
    "inspector2",
    "storage": "s3 bucket buckets efs fsx ebs storage gcs backup backups blob datasync sftp",
}
_CATEGORY = {word: category for category, words in _WORDS.items() for word in (category, *words.split())}
# A cloud's own provider says nothing of what is made with it; one for a single product does.
_CLOUDS = frozenset(
    ["aws", "awscc", "google", "azurerm", "azuread", "azapi", "oci", "alicloud", "digitalocean", "hcloud", "openstack"]
)
# What nearly every component makes on the side: it speaks only where nothing else does.
_ASIDE = frozenset(
    ["iam", "kms", "role", "policy", "security-group", "cloudwatch", "log", "alarm", "secretsmanager", "secret", "permission"]
)
_VERSION = re.compile(r"v?\d+(?:\.\d+)*")


def derived(name: str, resource_types: Mapping[str, int] = MappingProxyType({})) -> str | None:
    """The category that a component's name speaks for, else that of most of its resources, else that of the folders around it."""
    *folders, own = [part for part in name.lower().split("/") if not _VERSION.fullmatch(part)] or [""]
    return (
        next(_categories(_terms(own)), None)
        or _of_resources(resource_types)
        or next((found for folder in reversed(folders) for found in _categories(_terms(folder))), None)
    )


def _terms(name: str) -> list[str]:
    """The whole name, its pairs of words, then its words."""
    words = [word for word in re.split(r"[-_.\s]+", name) if word]
    return ["-".join(words), *("-".join(pair) for pair in pairwise(words)), *words]


def _categories(terms: Iterable[str]) -> Iterator[str]:
    return (_CATEGORY[term] for term in terms if term in _CATEGORY)


def _of_resources(resource_types: Mapping[str, int]) -> str | None:
    votes: Counter[str] = Counter()
    aside: Counter[str] = Counter()
    for resource, blocks in sorted(resource_types.items()):
        provider, _, rest = resource.lower().partition("_")
        terms = _terms(rest if provider in _CLOUDS else f"{provider}_{rest}")
        term = next((term for term in terms if term in _CATEGORY), None)
        if term is not None:
            (aside if term in _ASIDE else votes)[_CATEGORY[term]] += blocks
    most = (votes or aside).most_common(1)
    return most[0][0] if most else None
