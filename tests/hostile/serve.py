#!/usr/bin/python3
"""Starts the registry of one hostile case, for any client: `serve.py NAME` (cases_registries.py, lies.py).

Prints the reference, the environment that makes podman, skopeo and cocket trust the registry, and then what
is asked, until it is interrupted.
"""
import os
import signal
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from forge import Image  # noqa: E402
from lies import honest  # noqa: E402
from registries import jobs  # noqa: E402
from registry import World  # noqa: E402


class Loud(World):
    def log(self, request):
        print(f'{request.server.name}: {request.method} {request.target}', flush=True)
        super().log(request)


def main():
    found = list(jobs(sys.argv[1:])) if len(sys.argv) == 2 else []
    if not found:
        sys.exit(__doc__ + '\n' + '\n'.join(name for name, *_ in jobs()))
    _, case, make = found[0]
    with tempfile.TemporaryDirectory(prefix='cocket-serve-') as folder:
        image = case['image']()
        world = Loud(image if isinstance(image, Image) else honest(), folder + '/ca', case['tls'])
        world.auth = case['auth']
        make(world)
        for name, value in world.write_config(folder).items():
            if name.startswith(('CONTAINERS', 'REGISTRY')):
                print(f'export {name}={value}')
        print(f'docker://{world.reference()}', flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            world.close()


if __name__ == '__main__':
    main()
