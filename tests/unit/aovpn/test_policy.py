"""The vocabulary: spellings, ids and codes, against the tables of the specifications."""

import pytest

from pkitools.aovpn import policy
from pkitools.errors import FormatError, InputError
from pkitools.models.ipsec import (
    AuthenticationTransformConstants,
    ChildPolicy,
    CipherTransformConstants,
    DHGroup,
    EncryptionMethod,
    IkePolicy,
    IntegrityCheckMethod,
    IPsecPolicy,
    PfsGroup,
)

KINDS = (
    *(EncryptionMethod, IntegrityCheckMethod, DHGroup),
    *(CipherTransformConstants, AuthenticationTransformConstants, PfsGroup),
)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (EncryptionMethod, "AES_GCM_128", "GCMAES128"),
        (EncryptionMethod, "gcmaes256", "GCMAES256"),
        (EncryptionMethod, "aes128Gcm", "GCMAES128"),
        (EncryptionMethod, "tripleDes", "DES3"),
        (EncryptionMethod, " 3DES ", "DES3"),
        (IntegrityCheckMethod, "SHA196", "SHA1"),
        (IntegrityCheckMethod, "sha2_256", "SHA256"),
        (AuthenticationTransformConstants, "sha_256_128", "SHA256128"),
        (AuthenticationTransformConstants, "AES_GCM_192", "GCMAES192"),
        (CipherTransformConstants, "aes192gcm", "GCMAES192"),
        (DHGroup, "group14", "Group14"),
        (PfsGroup, "pfsmm", "PFSMM"),
    ],
)
def test_every_spelling_gives_the_same_word(kind, text, value):
    assert policy.word(kind, text) is kind(value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_words_own_spelling_is_understood(kind):
    assert all(policy.word(kind, member.value.swapcase()) is member for member in kind)


@pytest.mark.parametrize(
    ("kind", "text"),
    [(DHGroup, "Group19"), (IntegrityCheckMethod, "SHA512"), (EncryptionMethod, "GCMAES192"), (PfsGroup, "")],
)
def test_words_outside_the_vocabulary_are_refused_with_the_accepted_ones(kind, text):
    with pytest.raises(FormatError) as caught:
        policy.word(kind, text)
    assert next(iter(kind)).value in caught.value.hint


def test_windows_has_168_ike_policies_and_no_two_share_their_ids():
    assert len(policy.WINDOWS_IKE_POLICIES) == 168
    ids = {policy.ike_transforms(item) for item in policy.WINDOWS_IKE_POLICIES}
    assert len(ids) == 168
    assert all(policy.ike_policy_of(policy.ike_transforms(item)) == item for item in policy.WINDOWS_IKE_POLICIES)


def test_ids_of_a_cbc_and_a_gcm_policy():
    cbc = IkePolicy(EncryptionMethod.AES256, IntegrityCheckMethod.SHA256, DHGroup.ECP256)
    gcm = IkePolicy(EncryptionMethod.GCMAES128, IntegrityCheckMethod.SHA384, DHGroup.GROUP24)
    assert policy.ike_transforms(cbc) == (12, 256, 5, 12, 19)
    assert policy.ike_transforms(gcm) == (20, 128, 6, None, 24)
    assert policy.ike_policy_of(policy.IkeTransforms(12, 256, 7, 14, 14)) is None  # SHA-512 has no Windows word


def test_strongswan_words():
    enhanced = policy.baseline("AOVPN-Enhanced")
    assert policy.swan_ike_proposal(enhanced.ike[0]) == "aes128gcm16-prfsha256-modp2048"
    assert policy.swan_esp_proposal(enhanced.child[0]) == "aes128gcm16-ecp256"
    child = ChildPolicy(AuthenticationTransformConstants.SHA256128, CipherTransformConstants.AES256, PfsGroup.PFSMM)
    assert policy.swan_esp_proposal(child, DHGroup.ECP384) == "aes256-sha256-ecp384"


def test_defaults_hold_as_many_policies_as_documented():
    assert {name: len(item.ike) for name, item in policy.BASELINES.items()} == {
        "windows-default": 12,
        "windows11-default": 18,
        "aovpn-standard": 1,
        "aovpn-enhanced": 1,
    }


def test_an_unknown_baseline_names_the_known_ones():
    with pytest.raises(InputError) as caught:
        policy.baseline("hicks")
    assert "aovpn-standard" in caught.value.hint


def test_a_policy_splits_into_ike_and_child():
    whole = policy.baseline("aovpn-standard").policy
    assert isinstance(whole, IPsecPolicy)
    assert whole.ike == IkePolicy(EncryptionMethod.AES128, IntegrityCheckMethod.SHA256, DHGroup.GROUP14)
    assert whole.child.pfs_group is PfsGroup.PFS2048


@pytest.mark.parametrize("kind", KINDS)
def test_codes_and_words_agree_both_ways(kind):
    named = [member for code in range(12) if (member := policy.word_of_code(kind, code)) is not None]
    assert [policy.word_of_code(kind, policy.code_of(member)) for member in named] == named
    unnamed = {member.value for member in kind} - {member.value for member in named}
    assert unnamed <= {"None"}
    assert all(policy.code_of(kind(value)) is None for value in unnamed)
    assert policy.word_of_code(kind, 99) is None


@pytest.mark.corpus
def test_codes_are_the_enumerations_of_the_windows_sdk(corpus_enums):
    groups = {
        "IKEEXT_CIPHER_TYPE": EncryptionMethod,
        "IKEEXT_INTEGRITY_TYPE": IntegrityCheckMethod,
        "IKEEXT_DH_GROUP": DHGroup,
        "IPSEC_CIPHER_CONFIG": CipherTransformConstants,
        "IPSEC_AUTH_CONFIG": AuthenticationTransformConstants,
        "IPSEC_PFS_GROUP": PfsGroup,
    }
    for group, kind in groups.items():
        numbers = {number for name, number in corpus_enums[group].items() if not name.endswith(("_MAX", "_LAST"))}
        ours = {code for code in range(16) if policy.word_of_code(kind, code) is not None}
        assert ours == numbers, group
