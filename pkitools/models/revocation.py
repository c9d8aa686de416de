"""What a user may choose about revocation: apart from the results, since every start of a command needs it."""

from __future__ import annotations

from enum import Enum


class RevocationMode(Enum):
    """What is asked about revocation: CRLs as the SSTP client does, OCSP (a CRL where no responder is named), both, or
    nothing."""

    CRL = "crl"
    OCSP = "ocsp"
    BOTH = "both"
    OFF = "off"
