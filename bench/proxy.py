"""A proxy that makes a connection slow: what passes it arrives a millisecond later, in each direction.

    bench/proxy.py DIRECTORY PORT TARGET

Listens on the Unix socket of that port in DIRECTORY, and connects to the server's socket TARGET.  Prints "ready" when it does.  The order
of what passes is kept; a delay is added to each piece, not to each byte, so throughput stays what it is.
"""

import asyncio
import os
import sys

DELAY = 0.001


async def pass_on(reader, writer):
    """Copies, late."""
    loop = asyncio.get_running_loop()
    waiting = asyncio.Queue()

    async def deliver():
        while True:
            due, data = await waiting.get()
            # the clock of the loop is coarser than a millisecond: sleep most of it, then wait actively
            while (left := due - loop.time()) > 0:
                await asyncio.sleep(left - 0.0002 if left > 0.0003 else 0)
            if not data:
                writer.close()
                return
            writer.write(data)

    delivery = asyncio.ensure_future(deliver())
    data = b"-"
    while data:
        data = await reader.read(65536)
        waiting.put_nowait((loop.time() + DELAY, data))
    await delivery


async def main(directory, port, target):
    async def connected(reader, writer):
        server_reader, server_writer = await asyncio.open_unix_connection(target)
        await asyncio.gather(pass_on(reader, server_writer), pass_on(server_reader, writer), return_exceptions=True)

    server = await asyncio.start_unix_server(connected, os.path.join(directory, f".s.PGSQL.{port}"))
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
