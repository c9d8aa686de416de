"""Certificate requests (PKCS #10, RFC 2986), in short: who asks for what, with which key."""

from __future__ import annotations

from pkitools.models.shown import ShownRequest
from pkitools.protocol import der
from pkitools.protocol.foreign import means_unreadable
from pkitools.protocol.names import read_x500
from pkitools.protocol.public_key import fingerprint, normalized
from pkitools.protocol.strict_der import INTEGER, OBJECT, SEQUENCE, Reader, Value
from pkitools.protocol.x509 import extension_fields, public_key_fields

_EXTENSION_REQUEST = "1.2.840.113549.1.9.14"
_MICROSOFT_EXTENSION_REQUEST = "1.3.6.1.4.1.311.2.1.14"


def read_request(data: bytes) -> ShownRequest:
    """The request in ``data`` (DER). FormatError when it is none."""
    request = Reader(data).sequence().read(SEQUENCE).children()
    request.read(INTEGER)
    subject, spki = request.read(SEQUENCE), request.read(SEQUENCE)
    attributes = request.optional(der.context(0))
    algorithm, size, curve = public_key_fields(spki)
    values = extension_fields(_requested(attributes))
    return ShownRequest(
        read_x500(subject.encoded),
        algorithm,
        size,
        curve,
        fingerprint(normalized(spki.encoded)),
        values.get("subject_alternative_names", ()),
        values.get("enhanced_key_usages") or (),
        values.get("certificate_template"),
        _signature_valid(data),
    )


def _requested(attributes: Value | None) -> Value | None:
    """The extensions asked for, in the shape that a certificate has them."""
    for attribute in attributes.children().rest() if attributes else ():
        fields = attribute.children()
        if fields.read(OBJECT).oid() in (_EXTENSION_REQUEST, _MICROSOFT_EXTENSION_REQUEST):
            extensions = fields.read(der.SET).children().read(SEQUENCE)
            return Reader(der.element(der.context(3), extensions.encoded)).read()
    return None


def _signature_valid(data: bytes) -> bool | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509 import load_der_x509_csr

    try:
        return load_der_x509_csr(data).is_signature_valid
    except UnsupportedAlgorithm:
        return None
    except BaseException as error:
        if not means_unreadable(error):
            raise
        return False
