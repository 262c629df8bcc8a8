"""One API server in the foreground, for playing by hand: `python -m tests.apiserver` (or `make apiserver`)."""

import asyncio
import signal
import sys
from types import FrameType

from tests.apiserver.build import find_program
from tests.apiserver.client import ApiClient
from tests.apiserver.preparing import DEPLOYED_CRDS, install_crds, read_crds
from tests.apiserver.progress import BuildError
from tests.apiserver.server import ApiServer, StartError

GREETING = """
A Kubernetes API server runs at {url} and knows {count} kinds of {crds}/.
In another terminal:

    export KUBECONFIG={kubeconfig}
    {kubectl} get crds
    .venv/bin/infisical-reconciler run

There are no nodes: what has a pod stays pending. Garbage is collected, and namespaces end.
Ctrl-C stops the server and removes its data."""


class Stopped(BaseException):
    """SIGTERM came."""


def stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


async def prepare(server: ApiServer) -> int:
    definitions = read_crds()
    async with ApiClient(server.access) as api:
        await install_crds(api, definitions)
    return len(definitions)


def main() -> int:
    signal.signal(signal.SIGTERM, stop)
    try:
        kubectl = find_program("kubectl")
        find_program("controllers")
        with ApiServer() as server:
            count = asyncio.run(prepare(server))
            server.start_controllers()
            access = server.access
            print(
                GREETING.format(
                    url=access.url,
                    count=count,
                    crds=f"{DEPLOYED_CRDS.parent.name}/{DEPLOYED_CRDS.name}",
                    kubeconfig=access.kubeconfig,
                    kubectl=kubectl,
                ),
                flush=True,
            )
            server.wait()
    except (Stopped, KeyboardInterrupt):
        return 0
    except (BuildError, StartError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
