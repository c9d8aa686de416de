"""A stand-in for an AD CS certification authority, since none runs on Linux.

A network server built from MS-RPCE, MS-DCOM, MS-WCCE, MS-CSRA and MS-SCMR, with an NDR of its own, so that a mistake of
the client cannot hide behind shared code, and a switch for every way in which a CA fails or an attacker lies. It is
checked with impacket and tshark, not only with ourselves.
"""

from tests.lab.ca_standin.faults import Faults
from tests.lab.ca_standin.host import CaData, Template
from tests.lab.ca_standin.server import CaStandin

__all__ = ["CaData", "CaStandin", "Faults", "Template"]
