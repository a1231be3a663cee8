"""MiniStack 1.5.33, but that it ends with whoever started it, and but for one fault: when it updates a nested stack, it forgets the attributes of what stays
as it is, such as the ARN of a log group, and fails at the next resource that asks for one ("Requested attribute Arn does
not exist in schema"). A stack by itself keeps them, by the parameter that is given here."""

import os
import signal
import sys
import threading

from ministack.app import main
from ministack.services.cloudformation import _stacks, provisioners

update = provisioners._update_resource


def update_with_attributes(kind, physical_id, old, new, stack_name, logical_id=None, old_attrs=None):
    if old_attrs is None:
        old_attrs = _stacks[stack_name]["_resources"][logical_id]["Attributes"]
    return update(kind, physical_id, old, new, stack_name, logical_id, old_attrs)


provisioners._update_resource = update_with_attributes


def end_with_parent():
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=end_with_parent, daemon=True).start()
main()
