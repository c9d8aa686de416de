"""What real servers answered, byte for byte, where the server itself cannot be installed; each with its source."""

from __future__ import annotations

from dataclasses import dataclass, field

LENGTH = b"Content-Length: 18446744073709551615\r\n"
DATE = b"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
NONCE = bytes(range(32))


def ack(mask: int) -> bytes:
    """A Call Connect Acknowledge with this hash bitmask."""
    return bytes.fromhex("10010030 0002 0001 0004 0028 000000") + bytes([mask]) + NONCE


@dataclass
class Recording:
    """Answers by HTTP method (``*`` for the rest), what follows the Call Connect Request, and where it was seen."""

    source: str
    post: bytes
    acknowledge: bytes = b""
    others: dict[bytes, bytes] = field(default_factory=dict)


RECORDINGS = {
    # hugsy/sstoper, docs/breve_sstp.en.txt: transcripts of Windows Server 2008 RRAS and of 2011; no reason phrase
    "rras": Recording(
        "hugsy/sstoper docs/breve_sstp.en.txt",
        b"HTTP/1.1 200\r\n" + LENGTH + b"Server: Microsoft-HTTPAPI/2.0\r\n" + DATE + b"\r\n",
        ack(2),
        {b"HEAD": b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"},  # by richardhicks/aovpn, F5 monitor
    ),
    # nmap, scripts/sstp-discover.nse
    "mikrotik": Recording(
        "nmap sstp-discover.nse",
        b"HTTP/1.1 200\r\n" + LENGTH + b"Server: MikroTik-SSTP\r\n" + DATE + b"\r\n",
        ack(3),
    ),
    # xebd/accel-ppp, issue 91: no Server field
    "accel-ppp": Recording("xebd/accel-ppp#91", b"HTTP/1.1 200 OK\r\n" + DATE + LENGTH + b"\r\n", ack(3)),
    # SoftEther 4.44-9807-rtm, recorded from a build of SoftEtherVPN_Stable
    "softether-4.44": Recording(
        "SoftEther VPN 4.44-9807-rtm",
        b"HTTP/1.1 200 OK\r\n" + LENGTH + DATE + b"Server: Microsoft-HTTPAPI/2.0\r\n\r\n",
        ack(2),
        {
            b"HEAD": b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\nConnection: Keep-Alive\r\n\r\n<html>404",
            b"GET": b"HTTP/1.1 202 Accepted\r\nContent-Length: 6\r\n\r\n<html>",
        },
    ),
    # SoftEther 5.01.9674 of Debian 12: accepts the request and is silent for 20 s
    "softether-5.01": Recording("SoftEther VPN 5.01.9674", b""),
    # AWS Application Load Balancer: 400 by a public access log
    "alb": Recording(
        "AWS ALB access log",
        b"HTTP/1.1 400 Bad Request\r\nServer: awselb/2.0\r\nContent-Length: 122\r\nConnection: close\r\n\r\n<html>",
    ),
    # hugsy/sstoper, the same paper: Apache 2.2, a Google front end
    "apache-2.2": Recording(
        "hugsy/sstoper docs/breve_sstp.en.txt",
        b"HTTP/1.1 413 Request Entity Too Large\r\nServer: Apache/2.2\r\nConnection: close\r\n\r\n",
    ),
    "google": Recording(
        "hugsy/sstoper docs/breve_sstp.en.txt", b"HTTP/1.1 405 Method Not Allowed\r\nServer: gws\r\n\r\n"
    ),
}
