"""MiniStack, with the gaps closed that our stack meets. It ends with whoever started it.

What is closed here is named in the README: what the check cannot show.
"""

import json
import os
import signal
import sys
import threading
from email.utils import parseaddr

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import eventbridge
from ministack.services.cloudformation import provisioners

resources = provisioners._RESOURCE_HANDLERS


def create_archive(_logical_id, properties, _stack):
    status, _, body = eventbridge._create_archive(
        {**properties, "EventSourceArn": properties["SourceArn"]}
    )
    if status != 200:
        raise ValueError(f"AWS::Events::Archive: {body!r}")
    return properties["ArchiveName"], {"Arn": json.loads(body)["ArchiveArn"]}


def delete_archive(name, _properties):
    eventbridge._delete_archive({"ArchiveName": name})


# CloudFormation here knows no archives.
resources["AWS::Events::Archive"] = {"create": create_archive, "delete": delete_archive}


def on_one_metric(handle):
    """An alarm over several metrics is made on the first of them: no metric math is known."""

    def narrowed(properties):
        if not isinstance(properties, dict) or "Metrics" not in properties:
            return properties
        metrics = [one["MetricStat"] for one in properties["Metrics"] if "MetricStat" in one]
        plain = {name: value for name, value in properties.items() if name != "Metrics"}
        return {**plain, **metrics[0]["Metric"], "Period": metrics[0]["Period"], "Statistic": metrics[0]["Stat"]}

    return lambda *arguments: handle(*map(narrowed, arguments))


alarms = resources["AWS::CloudWatch::Alarm"]
for step in ("create", "update"):
    alarms[step] = on_one_metric(alarms[step])

resource_of = iam_actions.extract_resource_arn
context_of = iam_actions.request_tag_context


def sender_of(service, params):
    return parseaddr(iam_actions._query_param(params, "Source"))[1] if service == "ses" else ""


def resource_with_sender(service, method, path, headers, body, params, region, account):
    """A mail is sent in the name of an identity; without it no role that names one may send."""
    sender = sender_of(service, params)
    if sender:
        return f"arn:aws:ses:{region}:{account}:identity/{sender}"
    return resource_of(service, method, path, headers, body, params, region, account)


def context_with_sender(service, action, body, params):
    sender = sender_of(service, params)
    return {**context_of(service, action, body, params), **({"ses:FromAddress": sender} if sender else {})}


iam_actions.extract_resource_arn = resource_with_sender
iam_actions.request_tag_context = context_with_sender

origin_of = app.pin_request_origin
# Loopback has no TLS; the bucket's policy refuses what comes without.
app.pin_request_origin = lambda address, _secure: origin_of(address, True)

decide = iam_evaluator.enforce


def told(access_key, action, *rest, **options):
    """As it decides; what it denies is a line of the log, which the check reads."""
    denial = decide(access_key, action, *rest, **options)
    if denial is not None:
        by = getattr(denial, "principal_arn", None) or "nobody it knows"
        line = {"denied": action, "on": options.get("resource_arn", "*"), "by": by}
        print(json.dumps(line), flush=True)
    return denial


iam_evaluator.enforce = told


os.setpgid(0, 0)


def end_with_parent():
    """The functions' processes outlive MiniStack otherwise."""
    sys.stdin.buffer.read()  # ends when the other side does, however that came about
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=end_with_parent, daemon=True).start()
app.main()
