"""Writes until its standard input ends, then reads back what was acknowledged.

Arguments: the servers as host:port,... and how many writes an earlier run got acknowledged, which
must all be there. Prints `ready` once the first write is through, and at the end how many are
acknowledged in all. Exit code 1 if one of them is missing.
"""

import select
import sys

from kazoo.client import KazooClient
from kazoo.exceptions import NodeExistsError
from kazoo.retry import KazooRetry


def missing(client, acknowledged):
    client.sync("/load")
    present = {int(name) for name in client.get_children("/load")}
    return len(set(range(acknowledged)) - present)


def main():
    retry = KazooRetry(max_tries=-1, delay=0.05, max_delay=0.5, ignore_expire=True)
    client = KazooClient(hosts=sys.argv[1], timeout=20, connection_retry=retry)
    client.start(timeout=60)
    client.ensure_path("/load")
    acknowledged = int(sys.argv[2])
    if missing(client, acknowledged):
        print(f"{missing(client, acknowledged)} of an earlier run are missing", flush=True)
        return 1
    first = acknowledged
    while not select.select([sys.stdin], [], [], 0)[0]:
        try:
            retry.copy()(client.create, f"/load/{acknowledged}", b"x")
        except NodeExistsError:
            pass  # The write was done, and its answer got lost.
        acknowledged += 1
        if acknowledged == first + 1:
            print("ready", flush=True)
    lost = missing(client, acknowledged)
    print(f"{acknowledged} acknowledged, {lost} missing", flush=True)
    client.stop()
    return 1 if lost else 0


sys.exit(main())
