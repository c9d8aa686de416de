"""DCE/RPC, DCOM and the AD CS interfaces as bytes: structures with pack and unpack, no sockets.

Sources: C706 (DCE 1.1 RPC), MS-RPCE, MS-DCOM, MS-WCCE, MS-CSRA, MS-SCMR.
"""
