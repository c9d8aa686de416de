"""What ``cryptography`` may raise when it is handed hostile bytes."""

from __future__ import annotations


def means_unreadable(error: BaseException) -> bool:
    """Whether an exception of ``cryptography`` says that it cannot read the data.

    Beside ValueError and TypeError those are classes of its own (InvalidVersion, UnsupportedAlgorithm, InternalError:
    none of them a ValueError), NotImplementedError (a compressed point in an OpenSSH key), and pyo3's PanicException, a
    BaseException whose class cannot be imported.
    """
    kind = type(error)
    own = kind.__module__.partition(".")[0] == "cryptography" or kind.__name__ == "PanicException"
    return own or isinstance(error, (ValueError, TypeError, OverflowError, NotImplementedError))
