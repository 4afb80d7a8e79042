//! Generation of an RSA pair by AWS-LC, which lets forks happen in between.

use std::ptr::{NonNull, null_mut};

use aws_lc_sys::{
    CBB, CBB_cleanup, CBB_finish, CBB_init_fixed, EVP_PKEY, EVP_PKEY_CTX, EVP_PKEY_CTX_free, EVP_PKEY_CTX_new_id,
    EVP_PKEY_CTX_set_cb, EVP_PKEY_CTX_set_rsa_keygen_bits, EVP_PKEY_RSA, EVP_PKEY_free, EVP_PKEY_keygen,
    EVP_PKEY_keygen_init, EVP_marshal_private_key,
};

use crate::memory::fork_gate;

/// Bytes that the PKCS#8 form of any pair of 4096 bits fits in.
pub(super) const ROOM: usize = 4096;

/// Generates an RSA-4096 pair with exponent 65537, writes its private half as PKCS#8 v1 (RFC 5208, DER) to `out`, and
/// returns the length. `None` if AWS-LC fails.
///
/// Blocks for 0.7 s on average. A fork waits only until AWS-LC reports the next step: a candidate, or one round of a
/// primality test.
pub(super) fn rsa_4096(out: &mut [u8; ROOM]) -> Option<usize> {
    // SAFETY: creates a context, or returns NULL.
    let context = Context(NonNull::new(unsafe { EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, null_mut()) })?);
    let mut made: *mut EVP_PKEY = null_mut();
    // SAFETY: the context is alive, and `made` writable; each step is taken only if the one before succeeded.
    let generated = unsafe {
        let context = context.0.as_ptr();
        EVP_PKEY_CTX_set_cb(context, Some(between_steps));
        EVP_PKEY_keygen_init(context) == 1
            && EVP_PKEY_CTX_set_rsa_keygen_bits(context, 4096) == 1
            && EVP_PKEY_keygen(context, &raw mut made) == 1
    };
    let pair = Pair(NonNull::new(made).filter(|_| generated)?);
    let mut writer = CBB::default();
    let mut len = 0;
    // SAFETY: `writer` writes only to `out`, which outlives it. It owns no memory, and `CBB_cleanup` is allowed at any time
    // after `CBB_init_fixed`.
    let written = unsafe {
        CBB_init_fixed(&raw mut writer, out.as_mut_ptr(), ROOM) == 1
            && EVP_marshal_private_key(&raw mut writer, pair.0.as_ptr()) == 1
            && CBB_finish(&raw mut writer, null_mut(), &raw mut len) == 1
    };
    if !written {
        // SAFETY: as above.
        unsafe { CBB_cleanup(&raw mut writer) };
    }
    written.then_some(len)
}

/// AWS-LC holds no lock when it reports a step, and the pair that it works on is this thread's alone.
extern "C" fn between_steps(_: *mut EVP_PKEY_CTX) -> i32 {
    fork_gate::step_aside();
    1
}

struct Context(NonNull<EVP_PKEY_CTX>);

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: made by `EVP_PKEY_CTX_new_id`, and freed once.
        unsafe { EVP_PKEY_CTX_free(self.0.as_ptr()) };
    }
}

struct Pair(NonNull<EVP_PKEY>);

impl Drop for Pair {
    fn drop(&mut self) {
        // SAFETY: made by `EVP_PKEY_keygen`, and freed once.
        unsafe { EVP_PKEY_free(self.0.as_ptr()) };
    }
}
