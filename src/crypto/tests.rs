//! Both providers keep the same promises, and each opens what the other sealed.

use super::*;
use crate::error::Status;

fn fixture_der(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/protocol/keys/{name}", env!("CARGO_MANIFEST_DIR"));
    let pem = std::fs::read(path).expect("the fixture is in the checkout");
    pem_rfc7468::decode_vec(&pem).expect("the fixture is PEM").1
}

/// The promises of one provider against the other (or itself); `$a` seals and wraps, `$b` opens and unwraps.
macro_rules! promises {
    ($name:ident, $a:ident, $b:ident) => {
        mod $name {
            use super::*;

            #[test]
            fn what_one_wraps_the_other_unwraps() {
                let pair = super::$b::KeyPair::from_pkcs8(&fixture_der("client_private.pem")).expect("a good key");
                let public = super::$a::PublicKey::from_spki(pair.spki()).expect("its public half");
                let key = ContentKey::generate().expect("random bytes");
                let wrapped = public.wrap_key(&key).expect("a wrapped key");
                assert_eq!(wrapped.len(), pair.modulus_len().expect("this process's"));
                assert_eq!(pair.unwrap_key(&wrapped).expect("a key").bytes(), key.bytes());
            }

            #[test]
            fn what_one_seals_the_other_opens() {
                let key = ContentKey::generate().expect("random bytes");
                let nonce = random::<NONCE_LEN>().expect("random bytes");
                for len in [0, 1, 15, 16, 17, 1000, 70_000] {
                    let plaintext: Vec<u8> = (0..=250).cycle().take(len).collect();
                    let mut buffer = vec![0; len];
                    let tag = super::$a::seal(&key, &nonce, &plaintext, &mut buffer).expect("sealed");
                    super::$b::open(&key, &nonce, &tag, &mut buffer).expect("opened");
                    assert_eq!(buffer, plaintext);
                }
            }

            #[test]
            fn an_altered_ciphertext_tag_or_nonce_does_not_open() {
                let key = ContentKey::generate().expect("random bytes");
                let nonce = random::<NONCE_LEN>().expect("random bytes");
                let mut sealed = [0; 5];
                let tag = super::$a::seal(&key, &nonce, b"hello", &mut sealed).expect("sealed");
                let altered = |bit: usize| {
                    let (mut nonce, mut tag, mut sealed) = (nonce, tag, sealed);
                    match bit {
                        0 => nonce[0] ^= 1,
                        1 => tag[15] ^= 1,
                        _ => sealed[4] ^= 0x80,
                    }
                    super::$b::open(&key, &nonce, &tag, &mut sealed).expect_err("altered").status()
                };
                assert_eq!([altered(0), altered(1), altered(2)], [Status::Security; 3]);
            }

            #[test]
            fn a_failed_unwrap_yields_a_key_that_opens_nothing() {
                let pair = super::$b::KeyPair::from_pkcs8(&fixture_der("client_private.pem")).expect("a good key");
                let mut seen = Vec::new();
                for wrapped in [
                    vec![0; pair.modulus_len().expect("this process's")],
                    vec![0xff; pair.modulus_len().expect("this process's")],
                    vec![],
                ] {
                    let key = pair.unwrap_key(&wrapped).expect("a random key, not an error");
                    assert_eq!(key.bytes().len(), CONTENT_KEY_LEN);
                    assert!(!seen.contains(&key.bytes().to_vec()), "two failures gave the same key");
                    seen.push(key.bytes().to_vec());
                }
            }

            #[test]
            fn a_private_key_written_by_one_is_read_by_the_other() {
                let pair = super::$a::KeyPair::from_pkcs8(&fixture_der("client_private.pem")).expect("a good key");
                let read = super::$b::KeyPair::from_pkcs8(&pair.to_pkcs8().expect("DER")).expect("the same key");
                assert_eq!(read.spki(), pair.spki());
                assert_eq!(&*read.to_pkcs8().expect("DER"), fixture_der("client_private.pem"));
                assert_eq!(super::$a::sha256(b"abc"), super::$b::sha256(b"abc"));
                assert_eq!(super::$a::sha256(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
            }

            #[test]
            fn keys_that_are_not_strong_rsa_are_refused() {
                assert!(super::$a::KeyPair::from_pkcs8(&fixture_der("client1024_private.pem")).is_err());
                assert!(super::$a::KeyPair::from_pkcs8(&fixture_der("ec_private.pem")).is_err());
                assert!(super::$a::PublicKey::from_spki(b"not a key").is_err());
                assert!(super::$a::KeyPair::from_pkcs8(&fixture_der("client2048_private.pem")).is_ok());
            }
        }
    };
}

#[cfg(feature = "aws-lc")]
promises!(aws_lc_alone, aws_lc, aws_lc);
#[cfg(feature = "rustcrypto")]
promises!(rust_crypto_alone, rust_crypto, rust_crypto);
#[cfg(all(feature = "aws-lc", feature = "rustcrypto"))]
promises!(aws_lc_seals, aws_lc, rust_crypto);
#[cfg(all(feature = "aws-lc", feature = "rustcrypto"))]
promises!(rust_crypto_seals, rust_crypto, aws_lc);

#[test]
fn a_generated_pair_is_rsa_4096_and_unwraps_what_is_wrapped_for_it() {
    let pair = KeyPair::generate().expect("a pair");
    assert_eq!(pair.modulus_len().expect("this process's") * 8, 4096);
    let key = ContentKey::generate().expect("random bytes");
    let public = PublicKey::from_spki(pair.spki()).expect("its public half");
    let wrapped = public.wrap_key(&key).expect("a wrapped key");
    assert_eq!(pair.unwrap_key(&wrapped).expect("a key").bytes(), key.bytes());
}

#[cfg(all(target_os = "linux", not(miri)))]
mod stack {
    use std::sync::{Mutex, OnceLock};

    use super::*;
    use crate::memory::{STACK_SIZE, depth_of, left_on_the_stack};

    static PAIR: OnceLock<KeyPair> = OnceLock::new();
    static WRAPPED: OnceLock<Vec<u8>> = OnceLock::new();
    /// The key whose traces are looked for; kept here, off the stack that is searched.
    static KEY: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    #[test]
    fn no_operation_leaves_a_key_on_the_callers_stack_or_takes_half_of_the_vaults() {
        let pair = PAIR.get_or_init(|| KeyPair::from_pkcs8(&fixture_der("client_private.pem")).expect("a good key"));
        let key = ContentKey::generate().expect("random bytes");
        let public = PublicKey::from_spki(pair.spki()).expect("its public half");
        WRAPPED.get_or_init(|| public.wrap_key(&key).expect("a wrapped key"));
        key.bytes().clone_into(&mut KEY.lock().expect("no panic"));
        let secret = KEY.lock().expect("no panic").clone();

        let unwrap: fn() = || {
            let key = PAIR.get().expect("set").unwrap_key(WRAPPED.get().expect("set")).expect("a key");
            assert_eq!(key.bytes(), *KEY.lock().expect("no panic"));
        };
        let seal_and_open: fn() = || {
            let key = PAIR.get().expect("set").unwrap_key(WRAPPED.get().expect("set")).expect("a key");
            let mut sealed = [0; 64];
            let tag = seal(&key, &[1; NONCE_LEN], &[2; 64], &mut sealed).expect("sealed");
            open(&key, &[1; NONCE_LEN], &tag, &mut sealed).expect("opened");
        };
        let wrap: fn() = || {
            let key = PAIR.get().expect("set").unwrap_key(WRAPPED.get().expect("set")).expect("a key");
            let public = PublicKey::from_spki(PAIR.get().expect("set").spki()).expect("its public half");
            assert!(!public.wrap_key(&key).expect("a wrapped key").is_empty());
        };
        let generate: fn() = || drop(KeyPair::generate().expect("a pair"));
        let write_and_read: fn() = || {
            let der = PAIR.get().expect("set").to_pkcs8().expect("its private half");
            drop(KeyPair::from_pkcs8(&der).expect("the same pair"));
        };
        let operations = [
            ("unwrap", unwrap),
            ("seal and open", seal_and_open),
            ("wrap", wrap),
            ("generate", generate),
            ("write out and read in", write_and_read),
        ];
        for (name, operation) in operations {
            assert_eq!(left_on_the_stack(operation, &secret), 0, "{name} left the key on the stack");
            let depth = depth_of(operation);
            assert!(0 < depth && depth <= STACK_SIZE / 2, "{name} reaches {depth} bytes deep");
        }
    }
}
