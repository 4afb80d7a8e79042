"""The certificate authorities that other Python clients trust, and that the library does not know of."""

import os

from ._errors import FileError

# The places where the library looks (src/connection/os/linux/trust_store.rs). It reads the first bundle that exists, or the directory.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
    "/opt/etc/ssl/certs/ca-certificates.crt",
)
DIRECTORY = "/etc/ssl/certs"


def default_ca_file(environment: bool) -> str | None:
    """The CA file of a client that was given none: that of REQUESTS_CA_BUNDLE, or certifi's if the system has none.

    None leaves it to the library: to SSL_CERT_FILE and SSL_CERT_DIR, which take precedence, and to the system's store.
    """
    if environment:
        if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
            return None
        if bundle := os.environ.get("REQUESTS_CA_BUNDLE"):
            return _existing(bundle)
    return None if _system_has_one() else _certifi()


def _existing(bundle: str) -> str:
    if os.path.isdir(bundle):
        raise FileError(f"REQUESTS_CA_BUNDLE is the directory {bundle}; set SSL_CERT_DIR to it instead")
    if not os.path.isfile(bundle):
        raise FileError(f"REQUESTS_CA_BUNDLE is {bundle}, where no file is; correct the variable or unset it")
    return bundle


def _system_has_one() -> bool:
    for bundle in BUNDLES:
        if os.path.exists(bundle):
            return os.path.getsize(bundle) > 0
    return os.path.isdir(DIRECTORY) and bool(os.listdir(DIRECTORY))


def _certifi() -> str | None:
    """The path of certifi's bundle, if certifi is installed. Otherwise the first connection says what to install."""
    try:
        from certifi import where  # optional, so it may have no types
    except ImportError:
        return None
    return where()
