"""A stack whose name is too long, and one that is deleted and made again over what outlived it."""

import deployment
import engine
import yaml

KEPT = {"MainTable": {"TableName": "hedgerow-main"}, "LogTable": {"TableName": "hedgerow-log"}}
SECRET = "hedgerow/data-keys"
KEEPSAKE = {"pk": {"S": "U#keepsake"}, "sk": {"S": "keepsake"}}


def refuse_a_long_name(root):
    """A stack is refused that functions could not be called after; nothing of it stays."""
    name = "a" * 60
    status = deployment.change(name, "CREATE", root, deployment.PARAMETERS | {"TablePrefix": "other"})
    reasons = [reason for _, reason in deployment.failures(name) if reason]
    assert status == "ROLLBACK_COMPLETE" and any("36 characters" in reason for reason in reasons), (status, reasons)
    assert not [table for table in tables() if table.startswith("other")], tables()


def delete_and_make_again(root):
    """Deletes the stack, and makes it again over the tables that it left."""
    dynamo, cloudformation = engine.client("dynamodb"), engine.client("cloudformation")
    for table in KEPT.values():
        dynamo.put_item(**table, Item=KEEPSAKE)
    cloudformation.delete_stack(StackName=deployment.STACK)
    engine.wait_until("the stack is gone", lambda: is_gone(cloudformation))
    secrets = engine.client("secretsmanager").list_secrets()["SecretList"]
    assert (tables(), [secret["Name"] for secret in secrets]) == (["hedgerow-log", "hedgerow-main"], [SECRET])
    assert engine.client("lambda").list_functions()["Functions"] == []

    # ministack can't import secrets: without this one, what AWS would import is made anew.
    engine.client("secretsmanager").delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    kept = yaml.safe_load((deployment.INFRA / "kept.yaml").read_text())
    del kept["Resources"]["DataKeys"]
    kept = deployment.put(yaml.safe_dump(kept).encode(), "template")
    imported = [
        {"ResourceType": "AWS::DynamoDB::Table", "LogicalResourceId": name, "ResourceIdentifier": table}
        for name, table in KEPT.items()
    ]
    prefix = {"TablePrefix": "hedgerow"}
    status = deployment.change(deployment.STACK, "IMPORT", kept, prefix, ResourcesToImport=imported)
    assert status == "IMPORT_COMPLETE", deployment.failures(deployment.STACK)
    status = deployment.change(deployment.STACK, "UPDATE", root, deployment.PARAMETERS)
    assert status == "UPDATE_COMPLETE", deployment.failures(deployment.STACK)
    for table in KEPT.values():
        assert dynamo.get_item(**table, Key=KEEPSAKE)["Item"] == KEEPSAKE


def is_gone(cloudformation):
    pages = cloudformation.get_paginator("list_stacks").paginate()
    stacks = [stack for page in pages for stack in page["StackSummaries"] if stack["StackName"] == deployment.STACK]
    return all(stack["StackStatus"] == "DELETE_COMPLETE" for stack in stacks)


def tables():
    return sorted(engine.client("dynamodb").list_tables()["TableNames"])
