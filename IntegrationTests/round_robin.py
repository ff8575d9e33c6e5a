"""A TCP proxy that gives every connection to the next of several servers, as a load balancer without affinity does, or that
stands before one server so that a test can take it away."""

import asyncio
import threading


class RoundRobin:
    """Listens on a free port. A server that refuses the connection is passed over; one that breaks off breaks it off."""

    def __init__(self, ports, host="127.0.0.1"):
        self.host, self.ports = host, list(ports)
        self.served = {port: 0 for port in self.ports}
        self._next = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = 0
        self.mend()

    def mend(self):
        """Listens, on the same port as before."""
        self._do(self._listen())

    def cut(self):
        """Ends all connections, and takes no more until it is mended."""
        self._do(self._end())

    def stop(self):
        """Cuts it for good; a second time, it does nothing."""
        if not self._thread.is_alive():
            return
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _do(self, work):
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self):
        self._server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _connect(self):
        for _ in self.ports:
            port = self.ports[self._next % len(self.ports)]
            self._next += 1
            try:
                streams = await asyncio.open_connection(self.host, port)
            except OSError:
                continue
            self.served[port] += 1
            return streams
        return None

    async def _serve(self, reader, writer):
        upstream = await self._connect()
        if upstream is None:
            writer.close()
            return
        copies = [
            asyncio.create_task(self._copy(reader, upstream[1])),
            asyncio.create_task(self._copy(upstream[0], writer)),
        ]
        try:
            # Either side that is done is done with the whole connection: HTTP has no half-closed ones.
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for copy in copies:
                copy.cancel()
            for end in (writer, upstream[1]):
                end.close()

    @staticmethod
    async def _copy(reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
