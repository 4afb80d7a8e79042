//! The judgement of a private key: its form and its numbers, before the crypto provider sees them.
//!
//! The providers disagree about odd keys: one recomputes wrong CRT numbers, the other refuses them; both load a key with
//! which every answer fails. The judgement here is the same with both (RFC 8017 section 3.2, FIPS 186-5 appendix A.1.1).
//! It cannot tell a composite number from a prime: the first wrapped and unwrapped key does.

use crypto_bigint::{BoxedUint, ConcatenatingMul, Integer, NonZero};
use pkcs1::RsaPublicKey;
use pkcs1::der::asn1::{AnyRef, OctetStringRef, UintRef};
use pkcs1::der::{Decode, Error, Reader, SliceReader, Tag, TagNumber, Tagged};
use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier};

use super::spki::{RSA_ENCRYPTION, bits};
use crate::memory;

/// The sizes of the modulus that are read, in bits: less is not safe, more is not what the providers take.
const MIN_BITS: usize = 2048;
const MAX_BITS: usize = 8192;
/// The largest public exponent that both providers take.
const MAX_EXPONENT: u64 = (1 << 33) - 1;
/// How many bits longer than the other a prime may be.
const MAX_DIFFERENCE: u32 = 16;

const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const RSAES_OAEP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.7");

/// A sound part of a key, or the reason why it is not sound: half a sentence, with the action to take.
type Judged<T> = Result<T, String>;

/// The PKCS#1 in `der`, which is PKCS#8 version 1 (RFC 5208) or 2 (RFC 5958), if it is a sound RSA key.
pub(super) fn judged_pkcs8(der: &[u8]) -> Judged<&[u8]> {
    let key = Pkcs8::read(der).ok_or("it is not a private key in PKCS#8; restore it from a copy")?;
    key.check_algorithm()?;
    let numbers = judged_pkcs1(key.private)?;
    if let Some(public) = key.public {
        let public = public.strip_prefix(&[0]).and_then(|der| RsaPublicKey::<UintRef<'_>>::from_der(der).ok());
        if public.is_none_or(|key| key.modulus != numbers.n || key.public_exponent != numbers.e) {
            return Err("the public key in it is not that of its private key; restore it from a copy".to_owned());
        }
    }
    Ok(key.private)
}

/// Whether `der` has the shape of PKCS#8.
pub(super) fn is_pkcs8(der: &[u8]) -> bool {
    Pkcs8::read(der).is_some()
}

/// The numbers of `der`, which is PKCS#1 (RFC 8017), if they are those of a sound RSA key.
pub(super) fn judged_pkcs1(der: &[u8]) -> Judged<Numbers<'_>> {
    let numbers = Numbers::read(der)?;
    numbers.check_public()?;
    let mut verdict = Ok(());
    memory::inside(|| verdict = memory::key_scope(|| numbers.check_private())).map_err(|error| error.to_string())?;
    verdict.map(|()| numbers)
}

/// PKCS#8, of whatever version. Attributes are read over.
struct Pkcs8<'a> {
    algorithm: AlgorithmIdentifierRef<'a>,
    private: &'a [u8],
    /// The content of a BIT STRING, which version 2 may have.
    public: Option<&'a [u8]>,
}

impl<'a> Pkcs8<'a> {
    fn read(der: &'a [u8]) -> Option<Pkcs8<'a>> {
        let mut reader = SliceReader::new(der).ok()?;
        let fields = reader.sequence(|fields| {
            let (version, algorithm, private): (u8, _, &'a OctetStringRef) =
                (fields.decode()?, fields.decode()?, fields.decode()?);
            let mut optional = Vec::new();
            while !fields.is_finished() {
                let field: AnyRef<'a> = fields.decode()?;
                optional.push((field.tag(), field.value()));
            }
            Ok::<_, Error>((version, algorithm, private.as_bytes(), optional))
        });
        reader.finish().ok()?;
        let (version, algorithm, private, optional) = fields.ok()?;
        let attributes = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
        let public_key = Tag::ContextSpecific { constructed: false, number: TagNumber(1) };
        let public = match optional.as_slice() {
            [] => None,
            [(tag, _)] if *tag == attributes => None,
            [(tag, public)] if *tag == public_key => Some(*public),
            [(first, _), (second, public)] if *first == attributes && *second == public_key => Some(*public),
            _ => return None,
        };
        (version <= 1).then_some(Pkcs8 { algorithm, private, public })
    }

    fn check_algorithm(&self) -> Judged<()> {
        let why = match (self.algorithm.oid, self.algorithm.parameters) {
            (RSA_ENCRYPTION, parameters) if parameters.is_none_or(AnyRef::is_null) => return Ok(()),
            (RSA_ENCRYPTION, _) => "its algorithm has parameters, and rsaEncryption has none; restore it from a copy",
            (RSASSA_PSS, _) => "it is an RSASSA-PSS key, which may only sign; use an RSA key of 2048 bits or more",
            (RSAES_OAEP, _) => {
                "it is an RSA key under the identifier of RSAES-OAEP, which is not read here; convert it to rsaEncryption"
            }
            _ => "it is not an RSA key; use an RSA key of 2048 bits or more",
        };
        Err(why.to_owned())
    }
}

/// The numbers of a private key, in the order and with the names of RFC 8017 appendix A.1.2.
pub(super) struct Numbers<'a> {
    n: UintRef<'a>,
    e: UintRef<'a>,
    d: UintRef<'a>,
    p: UintRef<'a>,
    q: UintRef<'a>,
    dp: UintRef<'a>,
    dq: UintRef<'a>,
    q_inverse: UintRef<'a>,
}

impl<'a> Numbers<'a> {
    fn read(der: &'a [u8]) -> Judged<Numbers<'a>> {
        let broken = "its RSA numbers are broken: they are not PKCS#1 in DER; restore it from a copy";
        let mut reader = SliceReader::new(der).map_err(|_| broken)?;
        let fields = reader.sequence(|fields| {
            let version: u8 = fields.decode()?;
            let (n, e, d) = (fields.decode()?, fields.decode()?, fields.decode()?);
            let (p, q, dp, dq, q_inverse) =
                (fields.decode()?, fields.decode()?, fields.decode()?, fields.decode()?, fields.decode()?);
            let others: Option<AnyRef<'a>> = if fields.is_finished() { None } else { Some(fields.decode()?) };
            Ok::<_, Error>((version, others, Numbers { n, e, d, p, q, dp, dq, q_inverse }))
        });
        match (reader.finish(), fields) {
            (Ok(()), Ok((0, None, numbers))) => Ok(numbers),
            (Ok(()), Ok((1, Some(others), _))) if others.tag() == Tag::Sequence => {
                Err("it has more than two primes, which is not supported; make a new one".to_owned())
            }
            _ => Err(broken.to_owned()),
        }
    }

    /// Judges the modulus and the public exponent by themselves.
    fn check_public(&self) -> Judged<()> {
        let n_bits = bits(self.n.as_bytes());
        if n_bits < MIN_BITS {
            return Err(format!("it has {n_bits} bits, and less than {MIN_BITS} are not safe; make a new one"));
        }
        if n_bits > MAX_BITS {
            return Err(format!("it has {n_bits} bits, and more than {MAX_BITS} are not supported; make a new one"));
        }
        let e = self.e.as_bytes();
        let small = (bits(e) <= 64).then(|| e.iter().fold(0, |e, &byte| e << 8 | u64::from(byte)));
        if small.is_none_or(|e| e % 2 == 0 || !(3..=MAX_EXPONENT).contains(&e)) {
            return Err("its public exponent is not an odd number from 3 to 2^33-1; make a new one".to_owned());
        }
        Ok(())
    }

    /// Judges the secret numbers by the public ones. Their values have no influence on how long that takes, as long as
    /// they are sound.
    fn check_private(&self) -> Judged<()> {
        const NO_MODULUS: &str = "the product of its primes is not its modulus; restore it from a copy";
        const NO_EXPONENT: &str = "its private exponent is not between 1 and its modulus; restore it from a copy";
        const NO_CRT: &str = "its CRT numbers (dP, dQ, qInv) are not those of its primes; restore it from a copy";
        let n_bits = u32::try_from(bits(self.n.as_bytes())).map_err(|_| NO_MODULUS)?;
        let precision = n_bits.next_multiple_of(64);
        let number = |value: UintRef<'_>, why: &str| {
            BoxedUint::from_be_slice(value.as_bytes(), precision).map_err(|_| why.to_owned())
        };
        let one = BoxedUint::one_with_precision(precision);
        let (n, e) = (number(self.n, NO_MODULUS)?, number(self.e, NO_MODULUS)?);
        let (p, q) = (number(self.p, NO_MODULUS)?, number(self.q, NO_MODULUS)?);
        if product(&p, &q) != n {
            return Err(NO_MODULUS.to_owned());
        }
        if p == q {
            return Err("its two primes are the same number, which is easily found; make a new one".to_owned());
        }
        if bool::from(p.is_even() | q.is_even()) {
            return Err("one of its primes is even, and so is not a prime; make a new one".to_owned());
        }
        if p.bits().abs_diff(q.bits()) > MAX_DIFFERENCE {
            return Err(format!(
                "one of its primes has {} bits and the other {}, and so the smaller one can be found; make a new one",
                p.bits(),
                q.bits()
            ));
        }
        let distance = if p > q { p.wrapping_sub(&q) } else { q.wrapping_sub(&p) };
        if distance <= one.shl(n_bits / 2 - 100) {
            return Err("its two primes are so close to each other that they can be found; make a new one".to_owned());
        }
        let d = number(self.d, NO_EXPONENT)?;
        if d <= one || d >= n {
            return Err(NO_EXPONENT.to_owned());
        }
        let smaller = |prime: &BoxedUint| NonZero::new(prime.wrapping_sub(&one)).into_option().ok_or(NO_MODULUS);
        let (p_less_1, q_less_1) = (smaller(&p)?, smaller(&q)?);
        let de = product(&d, &e);
        if de.rem(&p_less_1) != one || de.rem(&q_less_1) != one {
            return Err(
                "its private exponent is not that of its public exponent and primes; restore it from a copy".to_owned()
            );
        }
        let (dp, dq) = (number(self.dp, NO_CRT)?, number(self.dq, NO_CRT)?);
        let q_inverse = number(self.q_inverse, NO_CRT)?;
        let by_p = NonZero::new(p.clone()).into_option().ok_or(NO_MODULUS)?;
        let is_inverse = q_inverse < p && product(&q, &q_inverse).rem(&by_p) == one;
        if d.rem(&p_less_1) != dp || d.rem(&q_less_1) != dq || !is_inverse {
            return Err(NO_CRT.to_owned());
        }
        Ok(())
    }
}

/// The whole product. The crate puts copies of large factors on the stack. One factor is taken 512 bits at a time, so that the
/// vault's stack is deep enough (`memory::STACK_SIZE`).
fn product(a: &BoxedUint, b: &BoxedUint) -> BoxedUint {
    const WORDS: usize = 8;
    let mut sum = BoxedUint::zero_with_precision(a.bits_precision() + b.bits_precision());
    for words in b.as_words().rchunks(WORDS) {
        let bits = u32::try_from(words.len()).unwrap_or_default() * crypto_bigint::Word::BITS;
        sum = sum.unbounded_shl_vartime(bits);
        sum.wrapping_add_assign(a.concatenating_mul(&BoxedUint::from_words(words.iter().copied())));
    }
    sum
}

#[cfg(test)]
mod tests {
    use pkcs1::RsaPrivateKey;
    use pkcs1::der::Encode;

    use super::*;

    /// The fixture's PKCS#1, changed: each number is its bytes, big endian.
    fn changed(change: impl FnOnce(&mut [Vec<u8>; 8])) -> Judged<()> {
        let path = format!("{}/tests/fixtures/protocol/keys/client2048_private.pem", env!("CARGO_MANIFEST_DIR"));
        let der = pem_rfc7468::decode_vec(&std::fs::read(path).expect("a fixture")).expect("PEM").1;
        let key = Numbers::read(Pkcs8::read(&der).expect("PKCS#8").private)?;
        let Numbers { n, e, d, p, q, dp, dq, q_inverse } = key;
        let mut numbers = [n, e, d, p, q, dp, dq, q_inverse].map(|number| number.as_bytes().to_vec());
        change(&mut numbers);
        let number = |at: usize| UintRef::new(&numbers[at]).expect("a number");
        let key = RsaPrivateKey {
            modulus: number(0),
            public_exponent: number(1),
            private_exponent: number(2),
            prime1: number(3),
            prime2: number(4),
            exponent1: number(5),
            exponent2: number(6),
            coefficient: number(7),
            other_prime_infos: None,
        };
        judged_pkcs1(&key.to_der().expect("DER")).map(|_| ())
    }

    #[test]
    fn each_wrong_number_is_refused_for_its_own_reason() {
        changed(|_| ()).expect("the fixture is sound");
        for (at, why) in [
            (0, "product of its primes"),
            (1, "private exponent is not that"),
            (2, "private exponent is not that"),
            (3, "product of its primes"),
            (4, "product of its primes"),
            (5, "CRT numbers"),
            (6, "CRT numbers"),
            (7, "CRT numbers"),
        ] {
            let refusal = changed(|numbers| *numbers[at].last_mut().expect("a byte") ^= 2).expect_err(why);
            assert!(refusal.contains(why), "{at}: {refusal}");
        }
        let swapped = changed(|numbers| numbers.swap(3, 4)).expect_err("dP is not that of q");
        assert!(swapped.contains("CRT numbers"), "{swapped}");
        let short = changed(|numbers| numbers[0].truncate(255)).expect_err("too short");
        assert!(short.contains("2040 bits"), "{short}");
        let long = changed(|numbers| numbers[0].resize(1025, 1)).expect_err("too long");
        assert!(long.contains("more than 8192"), "{long}");
    }

    #[test]
    fn a_product_is_that_of_its_factors_whatever_their_sizes() {
        let number = |bytes: usize| BoxedUint::from_be_slice_vartime(&vec![0xfe; bytes]);
        for (a, b) in [(8, 8), (64, 64), (72, 64), (64, 72), (256, 8), (8, 256), (512, 520), (1024, 1024)] {
            let (a, b) = (number(a), number(b));
            assert!(product(&a, &b) == a.concatenating_mul(&b));
        }
    }
}
