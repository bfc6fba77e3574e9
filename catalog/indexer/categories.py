"""The category of a component that states none, read from its name and its providers' resources. One table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

# Category → words of a component's name, or families of resource types, that speak for it; the first category that matches wins.
_WORDS = {
    "database": "rds aurora dynamodb redis elasticache memcached postgres postgresql mysql mongodb documentdb "
    "opensearch elasticsearch redshift spanner bigtable cosmosdb sql database db neptune",
    "networking": "vpc network subnet subnets dns route53 zone tgw transit peering alb nlb elb lb loadbalancer cdn "
    "cloudfront vpn nat gateway vnet firewall acm certificate ingress",
    "security": "iam kms waf guardduty securitygroup sg secrets secretsmanager secret vault security identity sso "
    "cognito policy policies scp securityhub macie inspector external-secrets",
    "compute": "eks ecs ec2 gke aks lambda function functions asg autoscaling kubernetes cluster instance instances "
    "vm fargate batch bastion ecr",
    "storage": "s3 bucket buckets efs fsx ebs storage gcs backup backups blob",
    "observability": "monitoring logging logs cloudwatch grafana prometheus datadog alerts alerting cloudtrail flow-logs "
    "observability loki",
    "integration": "sqs sns kafka msk eventbridge kinesis apigateway api queue topic pubsub servicebus mq stepfunctions",
    "platform": "backend tfstate state account accounts organization platform argocd spacelift atlantis github ci",
}
_CATEGORY = {word: category for category, words in _WORDS.items() for word in words.split()}


def derived(name: str, resource_types: Mapping[str, int] = MappingProxyType({})) -> str | None:
    """The category that a component's name speaks for, else that of most of its resources; None when neither does."""
    words = [word for word in re.split(r"[-_/.\s]+", name.lower()) if word]
    pairs = ["-".join(pair) for pair in pairwise(words)]
    named = (_CATEGORY[word] for word in (*pairs, *words) if word in _CATEGORY)
    return next(named, None) or _of_resources(resource_types)


def _of_resources(resource_types: Mapping[str, int]) -> str | None:
    votes: Counter[str] = Counter()
    for resource, blocks in sorted(resource_types.items()):
        spoken_for = next((_CATEGORY[word] for word in resource.lower().split("_")[1:] if word in _CATEGORY), None)
        if spoken_for is not None:
            votes[spoken_for] += blocks
    return votes.most_common(1)[0][0] if votes else None
