//! Private keys in PEM: every form in circulation is read, one is written.
//!
//! Read: PKCS#8 (RFC 5208), PKCS#1 (RFC 8017), PKCS#8 encrypted by PBES2 with PBKDF2 or scrypt (RFC 8018, RFC 7914), and
//! the JavaScript SDK's own form. Written: PKCS#8, with a password as PBES2 with PBKDF2-HMAC-SHA-256, 600 000
//! iterations, and AES-256-CBC, which OpenSSL and the Python SDK read. Everything between the file and the pair is in the
//! vault's secret part.

use pem_rfc7468::LineEnding;
use pkcs1::der::asn1::{AnyRef, OctetStringRef};
use pkcs1::der::{Decode, Encode, SliceWriter};
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{Kdf, Parameters};
use pkcs8::{AlgorithmIdentifierRef, EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};

use super::password::Password;
use super::rsa_numbers;
use super::spki::RSA_ENCRYPTION;
use crate::crypto;
use crate::error::{Error, Result, Status};
use crate::memory::{self, SecretBuf};
use crate::pem::{self, Block};

const ITERATIONS: u32 = 600_000;
/// What a file may ask for before its password can be tried: iterations of PBKDF2, bytes of scrypt.
const MAX_ITERATIONS: u32 = 10_000_000;
const MAX_SCRYPT_MEMORY: u64 = 256 * 1024 * 1024;
const CIPHER_BLOCK: usize = 16;
/// Bytes that the encrypted form has around the ciphertext: algorithm identifiers, salt, initialisation vector.
const ENCRYPTED_HEADER: usize = 256;

/// What a file's text holds, and a sentence when it cannot be used.
type Read<T> = std::result::Result<T, Refusal>;

/// Why a key file cannot be used.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Because of what is in it; half a sentence, with what to do.
    Content(String),
    /// Because of something else.
    Other(Error),
}

impl Refusal {
    /// The error for the file called `shown`.
    pub(super) fn of(self, shown: &str) -> Error {
        match self {
            Refusal::Content(why) => Error::new(Status::Key, format!("{shown} cannot be used: {why}")),
            Refusal::Other(error) => error,
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal::Other(error)
    }
}

impl From<&str> for Refusal {
    fn from(why: &str) -> Refusal {
        Refusal::Content(why.to_owned())
    }
}

/// Reads a private key; what comes back is PKCS#8 version 1 (DER) of an RSA key whose numbers are sound.
pub(super) fn from_pem(pem: &[u8], password: &Password) -> Read<SecretBuf> {
    if pem.trim_ascii().is_empty() {
        return Err("it is empty; restore it from a copy, or remove both files of the pair for a new one".into());
    }
    let blocks = pem::blocks(pem).map_err(Refusal::Content)?;
    let block = the_private_one(&blocks)?;
    let form = form(block)?;
    let der = block.secret()?.map_err(Refusal::Content)?;
    let encrypted = match form {
        Form::Pkcs8 => is_js_form(&der),
        Form::Pkcs1 => false,
        Form::Encrypted => true,
    };
    match (encrypted, password.is_given()) {
        (true, false) => return Err("it is encrypted; give its password".into()),
        (false, true) => {
            return Err("it is not encrypted, although a password is given; encrypt it, or give no password".into());
        }
        _ => {}
    }
    let der = match form {
        Form::Encrypted => decrypt_pbes2(&der, password)?,
        Form::Pkcs8 if encrypted => decrypt_js_form(der, password)?,
        Form::Pkcs8 | Form::Pkcs1 => der,
    };
    let pkcs1 = match form {
        Form::Pkcs1 => rsa_numbers::judged_pkcs1(&der).map(|_| &der[..]),
        Form::Pkcs8 | Form::Encrypted => rsa_numbers::judged_pkcs8(&der),
    };
    around_pkcs1(pkcs1.map_err(Refusal::Content)?)
}

/// The forms of private keys that are read.
#[derive(Clone, Copy)]
enum Form {
    /// Not encrypted, or in the JavaScript SDK's encrypted form: both have one label.
    Pkcs8,
    Pkcs1,
    Encrypted,
}

/// The one private key among the blocks of a file. Public keys, certificates and parameters beside it are ignored.
fn the_private_one<'a>(blocks: &'a [Block<'a>]) -> Read<&'a Block<'a>> {
    let mut private = blocks.iter().filter(|block| block.is_private());
    match (private.next(), private.count()) {
        (Some(block), 0) => Ok(block),
        (Some(_), others) => Err(Refusal::Content(format!(
            "it holds {} private keys, and one file may hold one; keep the right one in it",
            others + 1
        ))),
        (None, _) if blocks.iter().any(|block| block.label.ends_with(b"PUBLIC KEY")) => {
            Err("it holds a public key and no private one; give the private one".into())
        }
        (None, _) => Err("no block in it is a private key; give the file of the private key".into()),
    }
}

/// The form of a block with a private key, or why it is not read.
fn form(block: &Block<'_>) -> Read<Form> {
    if block.has_old_encryption() {
        return Err("it is encrypted in OpenSSL's old form; convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc".into());
    }
    match block.label {
        b"PRIVATE KEY" => Ok(Form::Pkcs8),
        b"RSA PRIVATE KEY" => Ok(Form::Pkcs1),
        b"ENCRYPTED PRIVATE KEY" => Ok(Form::Encrypted),
        b"OPENSSH PRIVATE KEY" => Err("it is in OpenSSH's form; convert it: ssh-keygen -p -m PKCS8 -f FILE".into()),
        b"EC PRIVATE KEY" | b"DSA PRIVATE KEY" => {
            Err("it is not an RSA key; use an RSA key of 2048 bits or more".into())
        }
        _ => Err("its form is none of those read here; convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc".into()),
    }
}

/// Whether bytes under the label of a plain key are the JavaScript SDK's encrypted form: salt, initialisation vector and
/// whole cipher blocks, and not one DER SEQUENCE.
fn is_js_form(der: &[u8]) -> bool {
    der.len() > 2 * CIPHER_BLOCK && der.len().is_multiple_of(CIPHER_BLOCK) && AnyRef::from_der(der).is_err()
}

fn decrypt_js_form(mut blob: SecretBuf, password: &Password) -> Read<SecretBuf> {
    const JS_ITERATIONS: u32 = 100_000;
    let (salt, rest) = blob.split_at(CIPHER_BLOCK);
    let iv = rest.first_chunk().copied().ok_or("it is damaged; restore it from a copy")?;
    let scheme = Parameters::generate_pbkdf2_sha256_aes256cbc(JS_ITERATIONS, salt, iv)
        .map_err(|_| Error::internal("the parameters of the JavaScript form were refused"))?;
    blob.splice(0, 2 * CIPHER_BLOCK, b"");
    decrypt_in_place(&scheme.into(), blob, password)
}

fn decrypt_pbes2(der: &[u8], password: &Password) -> Read<SecretBuf> {
    let info = EncryptedPrivateKeyInfoRef::from_der(der)
        .ok()
        .filter(|info| matches!(info.encryption_algorithm, EncryptionScheme::Pbes2(_)))
        .ok_or(
            "its encryption is none that is read here (PBES2 with PBKDF2 or scrypt and AES); convert it: openssl pkcs8 \
             -topk8 -v2 aes-256-cbc",
        )?;
    let needed = memory_to_try(&info.encryption_algorithm)
        .ok_or("its password costs more time or memory to try than any sound file asks for; make a new one")?;
    // It is allocated where no error can be returned. Asked for here, and given back, a lack of it or of a lock is one.
    drop(SecretBuf::zeroed(needed, 0)?);
    let data = SecretBuf::copy_of(info.encrypted_data.as_bytes())?;
    decrypt_in_place(&info.encryption_algorithm, data, password)
}

/// The bytes that trying a password takes; `None` when that is more than a small machine has, or takes minutes.
fn memory_to_try(scheme: &EncryptionScheme) -> Option<usize> {
    match &scheme.pbes2()?.kdf {
        Kdf::Pbkdf2(kdf) => (kdf.iteration_count <= MAX_ITERATIONS).then_some(0),
        Kdf::Scrypt(kdf) => {
            let needed = kdf.cost_parameter.checked_mul(128 * u64::from(kdf.block_size))?;
            let spent = needed.checked_mul(kdf.parallelization.into())?;
            usize::try_from(needed).ok().filter(|_| needed.max(spent) <= MAX_SCRYPT_MEMORY)
        }
        _ => None,
    }
}

/// Decrypts `data`. A wrong password mostly shows in the padding; when it does not, in what is no key.
fn decrypt_in_place(scheme: &EncryptionScheme, mut data: SecretBuf, password: &Password) -> Read<SecretBuf> {
    let mut len = None;
    let run = memory::inside(|| {
        len = memory::key_scope(|| scheme.decrypt_in_place(password.bytes(), &mut data).map(<[u8]>::len).ok());
    });
    run?;
    let wrong = "the password is wrong, or the file is damaged";
    data.truncate(len.ok_or(wrong)?);
    if rsa_numbers::is_pkcs8(&data) { Ok(data) } else { Err(wrong.into()) }
}

/// The PKCS#8 version 1 around PKCS#1: the one form that the crypto provider sees.
fn around_pkcs1(pkcs1: &[u8]) -> Read<SecretBuf> {
    let broken = "its PKCS#1 form is broken; restore it from a copy";
    let algorithm = AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) };
    let info = PrivateKeyInfoRef::new(algorithm, OctetStringRef::new(pkcs1).map_err(|_| broken)?);
    encoded(&info).ok_or_else(|| broken.into())
}

/// `value` as DER, in the vault.
fn encoded(value: &impl Encode) -> Option<SecretBuf> {
    let len = usize::try_from(value.encoded_len().ok()?).ok()?;
    let mut der = SecretBuf::zeroed(len, 0).ok()?;
    let mut writer = SliceWriter::new(&mut der);
    value.encode(&mut writer).ok()?;
    writer.finish().ok()?;
    Some(der)
}

/// Writes PKCS#8 (DER) as PEM, encrypted when there is a password.
pub(super) fn to_pem(pkcs8: &[u8], password: &Password) -> Result<SecretBuf> {
    if password.is_given() {
        written("ENCRYPTED PRIVATE KEY", &encrypt(pkcs8, password)?)
    } else {
        written("PRIVATE KEY", pkcs8)
    }
}

fn encrypt(pkcs8: &[u8], password: &Password) -> Result<SecretBuf> {
    let failed = || Error::internal("a private key could not be encrypted");
    let (salt, iv) = (crypto::random::<16>()?, crypto::random::<CIPHER_BLOCK>()?);
    let scheme: EncryptionScheme =
        Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &salt, iv).map_err(|_| failed())?.into();
    let mut data = SecretBuf::zeroed(pkcs8.len() + CIPHER_BLOCK, ENCRYPTED_HEADER)?;
    data[..pkcs8.len()].copy_from_slice(pkcs8);
    let mut len = None;
    memory::inside(|| {
        let encrypted = || scheme.encrypt_in_place(password.bytes(), &mut data, pkcs8.len()).map(<[u8]>::len);
        len = memory::key_scope(encrypted).ok();
    })?;
    data.truncate(len.ok_or_else(failed)?);
    let info = EncryptedPrivateKeyInfoRef {
        encryption_algorithm: scheme,
        encrypted_data: OctetStringRef::new(&data).map_err(|_| failed())?,
    };
    encoded(&info).ok_or_else(failed)
}

fn written(label: &str, der: &[u8]) -> Result<SecretBuf> {
    let failed = |_| Error::internal("a private key could not be written as PEM");
    let len = pem_rfc7468::encapsulated_len(label, LineEnding::LF, der.len()).map_err(failed)?;
    let mut text = SecretBuf::zeroed(len, 0)?;
    pem_rfc7468::encode(label, LineEnding::LF, der, &mut text).map_err(failed)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &[u8] = b"correct horse battery staple";
    const UTF8_PASSWORD: &str = "pässwörd-✓-1";

    fn fixture(name: &str) -> Vec<u8> {
        std::fs::read(format!("{}/tests/fixtures/protocol/keys/{name}", env!("CARGO_MANIFEST_DIR"))).expect("a fixture")
    }

    fn read(name: &str, password: &[u8]) -> Read<SecretBuf> {
        from_pem(&fixture(name), &Password::new(password).expect("memory"))
    }

    fn refused(name: &str, password: &[u8]) -> String {
        match read(name, password) {
            Err(Refusal::Content(why)) => why,
            other => panic!("{name} should be refused for what it holds: {other:?}"),
        }
    }

    #[test]
    fn every_form_in_circulation_is_the_same_key() {
        let plain = read("client_private.pem", b"").expect("a plain key");
        for (name, password) in [
            ("client_private_pkcs1.pem", &b""[..]),
            ("client_private_py_plain.pem", b""),
            ("client_private_js_plain.pem", b""),
            ("client_private_py_password.pem", PASSWORD),
            ("client_private_py_password_utf8.pem", UTF8_PASSWORD.as_bytes()),
            ("client_private_js_password.pem", PASSWORD),
            ("client_private_js_password_utf8.pem", UTF8_PASSWORD.as_bytes()),
            ("client_private_openssl_8byte_salt.pem", PASSWORD),
            ("client_private_openssl_600k.pem", PASSWORD),
            ("client_private_openssl_sha1prf.pem", PASSWORD),
            ("client_private_openssl_scrypt.pem", PASSWORD),
        ] {
            assert!(*read(name, password).unwrap_or_else(|e| panic!("{name}: {e:?}")) == *plain, "{name}");
        }
    }

    #[test]
    fn a_wrong_a_missing_and_a_superfluous_password_are_told_apart() {
        for name in ["py_password", "js_password", "openssl_scrypt"] {
            let name = format!("client_private_{name}.pem");
            assert!(refused(&name, b"not the password").contains("wrong"), "{name}");
            assert!(refused(&name, b"").contains("give its password"), "{name}");
        }
        assert!(refused("client_private.pem", PASSWORD).contains("not encrypted"));
    }

    #[test]
    fn weak_foreign_and_damaged_files_are_refused_with_the_reason() {
        assert!(refused("client1024_private.pem", b"").contains("1024 bits"));
        assert!(refused("ec_private.pem", b"").contains("not an RSA key"));
        assert!(refused("client_public.pem", b"").contains("public key"));
        let whole = fixture("client_private.pem");
        for (text, why) in [
            (&b" \n"[..], "empty"),
            (&whole[..whole.len() / 2], "no END line"),
            (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "not a private key"),
            (
                b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n\
                  -----END RSA PRIVATE KEY-----\n",
                "old form",
            ),
        ] {
            match from_pem(text, &Password::none()) {
                Err(Refusal::Content(reason)) => assert!(reason.contains(why), "{reason}"),
                other => panic!("{why}: {other:?}"),
            }
        }
    }

    #[test]
    fn one_private_key_is_read_among_other_blocks_and_two_are_refused() {
        let (private, public) = (fixture("client_private.pem"), fixture("client_public.pem"));
        let key = read("client_private.pem", b"").expect("a plain key");
        for text in [[&private[..], &public].concat(), [&public[..], b"\n", &private].concat()] {
            assert!(*from_pem(&text, &Password::none()).expect("one private key") == *key);
        }
        let refused = |text: &[u8]| match from_pem(text, &Password::none()) {
            Err(Refusal::Content(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(refused(&[&private[..], &fixture("client2048_private.pem")].concat()).contains("2 private keys"));
        assert!(refused(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").contains("no block in it"));
        for (label, why) in
            [("OPENSSH", "ssh-keygen"), ("EC", "not an RSA key"), ("DSA", "not an RSA key"), ("ANY", "form")]
        {
            let text = format!("-----BEGIN {label} PRIVATE KEY-----\nAAAA\n-----END {label} PRIVATE KEY-----\n");
            assert!(refused(text.as_bytes()).contains(why), "{label}");
        }
    }

    #[test]
    fn what_is_written_is_read_again_with_the_password_and_not_without() {
        let key = read("client2048_private.pem", b"").expect("a plain key");
        for password in [Password::none(), Password::new(UTF8_PASSWORD.as_bytes()).expect("memory")] {
            let pem = to_pem(&key, &password).expect("PEM");
            assert!(*from_pem(&pem, &password).expect("what was written") == *key);
            assert_eq!(password.is_given(), from_pem(&pem, &Password::none()).is_err());
            assert_eq!(pem.last(), Some(&b'\n'));
        }
    }

    #[test]
    fn a_password_that_costs_too_much_is_not_tried_and_the_memory_of_others_is_known() {
        use pkcs8::pkcs5::pbes2::{EncryptionScheme::Aes256Cbc, Pbkdf2Params, Pbkdf2Prf, Salt, ScryptParams};

        let needed = |kdf: Kdf| memory_to_try(&Parameters { kdf, encryption: Aes256Cbc { iv: [0; 16] } }.into());
        let salt = || Salt::new(b"a salt").expect("short enough");
        let scrypt = |cost_parameter, block_size, parallelization| {
            needed(ScryptParams { salt: salt(), cost_parameter, block_size, parallelization, key_length: None }.into())
        };
        assert_eq!(scrypt(1 << 14, 8, 1), Some(16 * 1024 * 1024));
        assert_eq!(scrypt(1 << 14, 8, 16), Some(16 * 1024 * 1024));
        for (n, r, p) in [(1 << 14, 8, 17), (1 << 19, 8, 1), (1 << 40, 8, 0), (u64::MAX, 8, 1), (1 << 62, 2, 4)] {
            assert_eq!(scrypt(n, r, p), None, "{n} {r} {p}");
        }
        let pbkdf2 = |iteration_count| {
            let prf = Pbkdf2Prf::HmacWithSha256;
            needed(Pbkdf2Params { salt: salt(), iteration_count, key_length: None, prf }.into())
        };
        assert_eq!((pbkdf2(MAX_ITERATIONS), pbkdf2(MAX_ITERATIONS + 1)), (Some(0), None));
    }

    #[cfg(all(target_os = "linux", not(miri)))]
    mod stack {
        use std::sync::LazyLock;

        use super::*;
        use crate::memory::{STACK_SIZE, depth_of, left_on_the_stack};

        static PLAIN: LazyLock<SecretBuf> = LazyLock::new(|| read("client_private.pem", b"").expect("a plain key"));
        static GIVEN: LazyLock<Password> = LazyLock::new(|| Password::new(PASSWORD).expect("memory"));
        static JS_FORM: LazyLock<Vec<u8>> = LazyLock::new(|| decoded("client_private_js_password.pem"));
        static SCRYPT: LazyLock<Vec<u8>> = LazyLock::new(|| decoded("client_private_openssl_scrypt.pem"));
        /// The first half of the AES key of JS_FORM, derived by another implementation.
        const JS_KEY: &[u8] = b"\xe2\x1e\xcc\xc2\x3a\x1b\xd4\x27\xe0\x42\xd0\xf9\x7c\x9b\x28\xc7";

        fn decoded(name: &str) -> Vec<u8> {
            pem_rfc7468::decode_vec(&fixture(name)).expect("the fixture is PEM").1
        }

        #[test]
        fn no_file_leaves_its_secrets_on_the_callers_stack_or_takes_half_of_the_vaults() {
            let js_form: fn() = || {
                let blob = SecretBuf::copy_of(&JS_FORM).expect("memory");
                assert!(*decrypt_js_form(blob, &GIVEN).expect("the key") == **PLAIN);
            };
            let scrypt: fn() = || assert!(*decrypt_pbes2(&SCRYPT, &GIVEN).expect("the key") == **PLAIN);
            let judge: fn() = || assert!(!rsa_numbers::judged_pkcs8(&PLAIN).expect("a sound key").is_empty());
            let write: fn() = || assert!(!to_pem(&PLAIN, &GIVEN).expect("PEM").is_empty());
            let in_the_key = &PLAIN[PLAIN.len() - 64..][..16];
            // The words of a number are in the reverse order where it is computed with.
            let as_words: Vec<u8> = in_the_key.iter().rev().copied().collect();
            for (name, operation) in [("PBKDF2", js_form), ("scrypt", scrypt), ("judging", judge), ("writing", write)] {
                for secret in [JS_KEY, &PASSWORD[..16], in_the_key, &as_words] {
                    assert_eq!(left_on_the_stack(operation, secret), 0, "{name} left a secret on the stack");
                }
                let depth = depth_of(operation);
                assert!(0 < depth && depth <= STACK_SIZE / 2, "{name} reaches {depth} bytes deep");
            }
        }
    }
}
