"""Uploads the templates with the functions' code, as `aws cloudformation package` does, and deploys them."""

import hashlib
import io
import json
import pathlib
import subprocess
import tempfile
import zipfile

import yaml

import engine

INFRA = pathlib.Path(__file__).parents[2] / "infra"
BUCKET = "artifacts"
STACK = "hedgerow"
# What is tried here comes as fast as it can.
LIMITS = ["address", "session", "embed", "token", "login", "signup", "password-reset", "management"]
PARAMETERS = {
    "Architecture": "x86_64",
    # ministack tells functions another where it was told one itself.
    "EndpointUrl": engine.DIRECT,
    "MailFrom": "no-reply@example.com",
    # Where the sample events' browser says that it is.
    "Origin": "https://hedgerow00.execute-api.eu-central-1.amazonaws.com",
    "RateLimits": ",".join(f"{name}=1000000/1" for name in LIMITS),
    "Signup": "anyone",
    "WebhookHttp": "true",
    "WebhookPorts": "443,8080",
}


def deploy(binaries):
    """Deploys the root with all that it names, from a folder of binaries or one that serves every function; gives the
    root's address."""
    engine.client("s3").create_bucket(Bucket=BUCKET)
    url = Package(binaries).upload(INFRA / "template.yaml")
    engine.client("sesv2").create_email_identity(EmailIdentity=PARAMETERS["MailFrom"])
    status = change(STACK, "CREATE", url, PARAMETERS)
    if status != "CREATE_COMPLETE":
        raise SystemExit(f"aws: {status}: {failures(STACK)}")
    mend()
    return url


def change(stack, kind, url, parameters, **more):
    """Makes and carries out a change set; gives what became of the stack."""
    cloudformation, name = engine.client("cloudformation"), kind.lower()
    cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType=kind,
        TemplateURL=url,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        **more,
    )
    made = cloudformation.get_waiter("change_set_create_complete")
    made.wait(StackName=stack, ChangeSetName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
    return engine.wait_until("the change of the stack", lambda: settled(stack), 120)


def settled(stack):
    """The stack's status, if nothing is under way."""
    status = engine.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    return None if status.endswith("IN_PROGRESS") else status


def failures(stack):
    """What failed in a stack, and why."""
    events = engine.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    failed = [event for event in events if "FAILED" in event["ResourceStatus"]]
    return [(event["LogicalResourceId"], event.get("ResourceStatusReason")) for event in failed]


def output(name):
    """An output of the stack."""
    outputs = engine.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]
    return next(output["OutputValue"] for output in outputs if output["OutputKey"] == name)


def log_of(function):
    """The last lines of a function's log."""
    lines = engine.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{STACK}-{function}")["events"]
    return [line["message"] for line in lines][-10:]


def mend():
    """What ministack gets wrong, in what it made of the template. Nothing of it is so on AWS."""
    functions = engine.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if "ScalingConfig" in mapping:
            # It keeps a parameter's text where its poller wants a number, and then polls no queue at all.
            at_once = int(mapping["ScalingConfig"]["MaximumConcurrency"])
            scaling = {"MaximumConcurrency": at_once}
            functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig=scaling)
    iam = engine.client("iam")
    for role in (role for page in iam.get_paginator("list_roles").paginate() for role in page["Roles"]):
        policy = iam.get_role_policy(RoleName=role["RoleName"], PolicyName="own")["PolicyDocument"]
        for statement in policy["Statement"]:
            if statement["Action"] == ["sqs:SendMessage"]:
                # It asks for an action that AWS does not have.
                statement["Action"].append("sqs:SendMessageBatch")
            if statement["Action"] == ["ses:SendEmail"]:
                # It does not say from which address the mail is, nor of which identity.
                del statement["Condition"]
                statement["Resource"] = "*"
        document = json.dumps(policy)
        iam.put_role_policy(RoleName=role["RoleName"], PolicyName="own", PolicyDocument=document)


class Package:
    """What a deployment is made of, in the bucket."""

    def __init__(self, binaries):
        self.binaries = binaries
        self.known = {}

    def upload(self, template):
        """Uploads a template and all that it names by a path; gives its address."""
        document = yaml.safe_load(template.read_text())
        for resource in document["Resources"].values():
            properties = resource.get("Properties", {})
            if resource["Type"] == "AWS::CloudFormation::Stack":
                properties["TemplateURL"] = self.upload(template.parent / properties["TemplateURL"])
            elif resource["Type"] == "AWS::Lambda::Function":
                code = self.code(pathlib.Path(properties["Code"]).name)
                properties["Code"] = {"S3Bucket": BUCKET, "S3Key": code.rsplit("/", 1)[1]}
        return put(yaml.safe_dump(document).encode(), "template")

    def code(self, function):
        binary = self.binaries / function if self.binaries.is_dir() else self.binaries
        if binary not in self.known:
            self.known[binary] = put(zipped(binary), "zip")
        return self.known[binary]


def put(body, ending):
    """Puts something into the bucket; gives its address."""
    key = f"{hashlib.sha256(body).hexdigest()}.{ending}"
    engine.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    return f"{engine.DIRECT}/{BUCKET}/{key}"


def zipped(binary):
    """A binary as Lambda wants it: in a zip, by the name `bootstrap`; without what only a debugger reads."""
    with tempfile.TemporaryDirectory() as folder:
        bare = pathlib.Path(folder) / "bootstrap"
        subprocess.run(["strip", "-o", bare, binary], check=True)
        out = io.BytesIO()
        entry = zipfile.ZipInfo("bootstrap", (1980, 1, 1, 0, 0, 0))
        entry.external_attr, entry.compress_type = 0o755 << 16, zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(out, "w", compresslevel=1) as archive:
            archive.writestr(entry, bare.read_bytes(), compresslevel=1)
        return out.getvalue()
