"""Fills a provisioned Samba directory before its first start. Runs under the system's Python (python3-samba).

Usage: samba_populate.py SMB_CONF < JSON with "users", "groups", "ldif" (one text), "policy".
"""

import json
import sys

import ldb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

LONG_AGO = "131000000000000000"  # a day of 2016 as FILETIME
BYPASS_PASSWORD_HASH = "local_oid:1.3.6.1.4.1.7165.4.3.12:0"  # samba writes pwdLastSet as given


def main() -> None:
    config = json.load(sys.stdin)
    lp = LoadParm()
    lp.load(sys.argv[1])
    lp.set("log level", "0")
    sam = SamDB(url=lp.private_path("sam.ldb"), session_info=system_session(), lp=lp)
    base = str(sam.domain_dn())
    sam.transaction_start()
    for name in config["groups"]:
        sam.newgroup(name)
    for user in config["users"]:
        add_user(sam, base, user)
    message = ldb.Message(ldb.Dn(sam, base))
    for name, value in config["policy"].items():
        message[name] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, name)
    if config["policy"]:
        sam.modify(message)
    sam.transaction_commit()
    load(sam, config["ldif"])


def add_user(sam: SamDB, base: str, user: dict) -> None:
    name = user["name"]
    sam.newuser(
        name, user["password"], setpassword=True, force_password_change_at_next_login_req=user.get("must_change")
    )
    if user.get("disabled"):
        sam.disable_account(f"(sAMAccountName={ldb.binary_encode(name)})")
    if user.get("groups"):
        for group in user["groups"]:
            sam.add_remove_group_members(group, [name], add_members_operation=True)
    if user.get("expired_password"):
        set_value(sam, f"CN={name},CN=Users,{base}", "pwdLastSet", LONG_AGO, [BYPASS_PASSWORD_HASH])
    if user.get("account_expired"):
        set_value(sam, f"CN={name},CN=Users,{base}", "accountExpires", LONG_AGO, [])


def set_value(sam: SamDB, dn: str, attribute: str, value: str, controls: list) -> None:
    message = ldb.Message(ldb.Dn(sam, dn))
    message[attribute] = ldb.MessageElement(value, ldb.FLAG_MOD_REPLACE, attribute)
    sam.modify(message, controls=controls)


def load(sam: SamDB, text: str) -> None:
    """Records with a changetype are carried out, the others added; all or nothing."""
    sam.transaction_start()
    try:
        for changetype, message in sam.parse_ldif(text):
            if changetype == ldb.CHANGETYPE_MODIFY:
                sam.modify(message)
            else:
                sam.add(message)
    except BaseException:
        sam.transaction_cancel()
        raise
    sam.transaction_commit()


main()
