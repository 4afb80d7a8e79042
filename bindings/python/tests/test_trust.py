"""The certificate authorities come from where other Python clients take them."""

import re
import sys
from pathlib import Path

import pytest

import nomyo_native as nomyo
from nomyo_native import _trust

SOURCE = Path(__file__).parents[3] / "src" / "connection" / "os" / "linux" / "trust_store.rs"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def no_store(monkeypatch, tmp_path):
    """A system like an image without ca-certificates."""
    monkeypatch.setattr(_trust, "BUNDLES", (str(tmp_path / "none.crt"),))
    monkeypatch.setattr(_trust, "DIRECTORY", str(tmp_path / "certs"))


def trusted(base_url: str, **options: object) -> bool:
    with nomyo.Client(base_url, max_retries=0, **options) as client:  # type: ignore[arg-type]
        try:
            client.server_key()
        except nomyo.APIConnectionError as e:
            assert "certificate" in str(e)
            return False
        return True


def test_requests_ca_bundle_is_believed(monkeypatch, base_url, ca_file):
    assert not trusted(base_url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", ca_file)
    assert trusted(base_url)
    assert not trusted(base_url, environment=False)


def test_ssl_cert_file_and_ca_file_precede_requests_ca_bundle(monkeypatch, base_url, ca_file):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    assert trusted(base_url, ca_file=ca_file)
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    assert trusted(base_url)


@pytest.mark.parametrize(("name", "advice"), [("none.pem", "correct the variable"), ("", "SSL_CERT_DIR")])
def test_a_requests_ca_bundle_that_is_no_file_is_an_error_that_names_it(monkeypatch, base_url, tmp_path, name, advice):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / name))
    with pytest.raises(nomyo.FileError, match="REQUESTS_CA_BUNDLE") as caught:
        nomyo.Client(base_url)
    assert advice in str(caught.value) and caught.value.status_name == "NOMYO_ERR_IO"


@pytest.mark.parametrize("environment", [True, False])
def test_without_a_trust_store_certifi_is_believed(monkeypatch, no_store, base_url, ca_file, environment):
    monkeypatch.setattr("certifi.where", lambda: ca_file)
    assert trusted(base_url, environment=environment)


def test_with_a_trust_store_certifi_is_not_asked(monkeypatch, base_url, ca_file, tmp_path):
    monkeypatch.setattr("certifi.where", lambda: ca_file)
    store = tmp_path / "store.crt"
    store.write_text("certificates")
    monkeypatch.setattr(_trust, "BUNDLES", (str(tmp_path / "none.crt"), str(store)))
    assert not trusted(base_url)
    monkeypatch.setattr(_trust, "BUNDLES", ())
    monkeypatch.setattr(_trust, "DIRECTORY", str(tmp_path))
    assert not trusted(base_url)
    monkeypatch.setattr(_trust, "BUNDLES", (str(store),))
    store.write_text("")
    assert trusted(base_url), "an empty bundle is no store"


def test_without_a_trust_store_and_certifi_the_error_says_what_to_install(monkeypatch, no_store, base_url):
    monkeypatch.setitem(sys.modules, "certifi", None)
    assert not trusted(base_url), "a client is made, for a server without TLS needs no store"
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with nomyo.Client(base_url, max_retries=0) as client, pytest.raises(nomyo.APIConnectionError, match="ca-certificates"):
        client.server_key()


def test_the_places_are_those_of_the_library():
    source = SOURCE.read_text()
    bundles = source[source.index("const BUNDLES") : source.index("];")]
    assert tuple(re.findall(r'"(/.+?)"', bundles)) == _trust.BUNDLES
    assert f'DIRECTORY: &str = "{_trust.DIRECTORY}"' in source
