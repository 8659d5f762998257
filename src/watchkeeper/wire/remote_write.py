"""Prometheus remote write, both versions, read from protobuf.

    RemoteWriteDecoder().decode(body, version) -> DecodedWrite

Source: prometheus.io, "Remote-Write 1.0" and "2.0"; prompb/types.proto and
prompb/io/prometheus/write/v2/types.proto. The body is already decompressed. Series
whose labels mean nothing, and histograms that contradict themselves, are counted and left out.
"""

from __future__ import annotations

from enum import StrEnum

from watchkeeper.errors import DecodeError
from watchkeeper.model import Labels
from watchkeeper.wire import remote_write_v1, remote_write_v2
from watchkeeper.wire.limits import LabelLimits
from watchkeeper.wire.remote_write_series import DecodedWrite

__all__ = ["DecodedWrite", "RemoteWriteDecoder", "Version"]


class Version(StrEnum):
    """The message that a request holds, as its content type names it."""

    V1 = "prometheus.WriteRequest"
    V2 = "io.prometheus.write.v2.Request"


class RemoteWriteDecoder:
    """Reads requests, from several threads at once, and remembers what series mean."""

    def __init__(self, limits: LabelLimits | None = None) -> None:
        self._limits = limits or LabelLimits()
        self._known: dict[bytes, Labels] = {}

    def decode(self, body: bytes, version: Version) -> DecodedWrite:
        """Return what a request holds. Raises DecodeError."""
        try:
            if version is Version.V1:
                return remote_write_v1.read(body, self._known, self._limits)
            return remote_write_v2.read(body, self._limits)
        except IndexError:
            raise DecodeError("remote write: the message ends inside a field") from None
        except UnicodeDecodeError as error:
            raise DecodeError(f"remote write: a string is not UTF-8: {error.reason}") from None
