"""MiniStack 1.5.33, but that it ends with whoever started it, and but for four faults:

- When it updates a nested stack, it forgets the attributes of what stays as it is, such as the ARN of a log group, and
  fails at the next resource that asks for one ("Requested attribute Arn does not exist in schema"). A stack by itself
  keeps them, by the parameter that is given here.
- `Ref` of a secret is its name, where CloudFormation's is its ARN. What a role may read is named by that.
- With AUTH=true it knows a call to DynamoDB by neither `dynamodb:LeadingKeys` nor, but for a projection,
  `dynamodb:Attributes`: a statement with `ForAllValues`, which holds for what is not there, let a role into every
  partition.
- With TLS it listens on port 443 too, where there is room for one of several that begin at once; the others end.
"""

import json
import os
import re
import signal
import sys
import threading

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import secretsmanager
from ministack.services.cloudformation import _stacks, provisioners

update = provisioners._update_resource


def update_with_attributes(kind, physical_id, old, new, stack_name, logical_id=None, old_attrs=None):
    if old_attrs is None:
        old_attrs = _stacks[stack_name]["_resources"][logical_id]["Attributes"]
    return update(kind, physical_id, old, new, stack_name, logical_id, old_attrs)


provisioners._update_resource = update_with_attributes

secret_handlers = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]


def known_by_arn(handler):
    def call(*args):
        _, attributes = handler(*args)
        return attributes["Arn"], attributes

    return call


def given_its_name(handler):
    return lambda arn, *rest: handler(secretsmanager._resolve(arn)[0], *rest)


provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"] = {
    **secret_handlers,
    "create": known_by_arn(secret_handlers["create"]),
    "update": known_by_arn(given_its_name(secret_handlers["update"])),
    "delete": given_its_name(secret_handlers["delete"]),
}

# Of Chartroom's table, and of its index.
PARTITION_KEY = "pk"


def dynamodb_conditions(request):
    """What conditions may ask of one call, or of one item of a transaction; a scan is about no partition."""
    key = request.get("Key") or request.get("Item") or {}
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    partitions = [key[PARTITION_KEY]] if PARTITION_KEY in key else []
    for name, value in re.findall(r"([#\w]+)\s*=\s*(:\w+)", request.get("KeyConditionExpression") or ""):
        if names.get(name, name) == PARTITION_KEY:
            partitions.append(values[value])
    return {
        **({"dynamodb:LeadingKeys": [each["S"] for each in partitions]} if partitions else {}),
        # Every expression of Chartroom's writes attributes by such names.
        "dynamodb:Attributes": sorted({*key, *names.values()}),
    }


service_context = iam_actions.dynamodb_service_context


def context_with_conditions(body):
    return {**service_context(body), **dynamodb_conditions(json.loads(body or b"{}"))}


iam_actions.dynamodb_service_context = context_with_conditions


class TableOfItem(str):
    """The ARN that a part of a transaction is about, with what conditions may ask of that part."""

    conditions: dict


def transaction_checks_with_conditions(iam_action, body, region, account_id):
    checks = []
    for item in json.loads(body or b"{}").get("TransactItems") or []:
        one = json.dumps({"TransactItems": [item]}).encode()
        for action, arn in transaction_checks(iam_action, one, region, account_id):
            table = TableOfItem(arn)
            [detail] = item.values()
            table.conditions = dynamodb_conditions(detail)
            checks.append((action, table))
    return checks


transaction_checks = iam_actions.dynamodb_transaction_checks
iam_actions.dynamodb_transaction_checks = transaction_checks_with_conditions

enforce = iam_evaluator.enforce


def enforce_with_conditions(access_key, iam_action, service, region, resource_arn="*", service_context=None):
    if isinstance(resource_arn, TableOfItem):
        service_context = {**service_context, **resource_arn.conditions}
    return enforce(access_key, iam_action, service, region, resource_arn, service_context)


iam_evaluator.enforce = enforce_with_conditions


def end_with_parent():
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


app._port_is_bindable = lambda *_: False

threading.Thread(target=end_with_parent, daemon=True).start()
app.main()
