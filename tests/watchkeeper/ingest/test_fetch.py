"""Fetching from a real server: TLS is shaken hands over, and connections are kept."""

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from watchkeeper.ingest.discovery import Discovery
from watchkeeper.ingest.fetch import ScrapeError, fetch, open_client

pytestmark = pytest.mark.anyio


class Exposition(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections += 1

    def do_GET(self):
        body = b"up_here 1\n"
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    connections = 0

    def handle_error(self, *arguments):
        """A handshake that fails is what a test wants."""


@pytest.fixture
def serve():
    started = []

    def begin(context=None):
        server = Server(("127.0.0.1", 0), Exposition)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((server, thread))
        return server

    yield begin
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def encrypted(serve, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context, lambda: serve(context)


def the_job(configured, server, more=""):
    config = configured(f"static_configs: [{{targets: ['127.0.0.1:{server.server_port}']}}]{more}")
    (job,) = config.scrape_configs
    ((target,), _) = Discovery(job, source=config.source).targets()
    return job, target


async def test_a_connection_is_kept_from_scrape_to_scrape(configured, serve):
    server = serve()
    job, target = the_job(configured, server)
    async with open_client(job) as client:
        for _ in range(3):
            assert (await fetch(client, job, target)).body == b"up_here 1\n"
    assert server.connections == 1


async def test_a_certificate_is_trusted_by_the_file_that_says_so(
    configured, encrypted, certificate
):
    _, start = encrypted
    trust = f", scheme: https, tls_config: {{ca_file: '{certificate}'}}"
    job, target = the_job(configured, start(), trust)
    async with open_client(job) as client:
        assert (await fetch(client, job, target)).body == b"up_here 1\n"


async def test_a_certificate_that_nobody_vouches_for_is_refused(configured, encrypted):
    _, start = encrypted
    job, target = the_job(configured, start(), ", scheme: https")
    async with open_client(job) as client:
        with pytest.raises(ScrapeError, match="certificate"):
            await fetch(client, job, target)


async def test_verification_can_be_left_out(configured, encrypted):
    _, start = encrypted
    more = ", scheme: https, tls_config: {insecure_skip_verify: true}"
    job, target = the_job(configured, start(), more)
    async with open_client(job) as client:
        assert (await fetch(client, job, target)).body == b"up_here 1\n"


async def test_a_target_may_ask_who_scrapes_it(configured, encrypted, certificate):
    context, start = encrypted
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(certificate)
    server = start()
    trust = f", scheme: https, tls_config: {{ca_file: '{certificate}'"
    job, target = the_job(
        configured, server, f"{trust}, cert_file: '{certificate}', key_file: '{certificate}'}}"
    )
    async with open_client(job) as client:
        assert (await fetch(client, job, target)).body == b"up_here 1\n"
    job, target = the_job(configured, server, f"{trust}}}")
    async with open_client(job) as client:
        with pytest.raises(ScrapeError):
            await fetch(client, job, target)
