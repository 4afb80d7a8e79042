//! x86-64 on Windows: xmm6 to xmm15 belong to the caller, the upper halves of all registers do not.
//!
//! The calling convention says so: <https://learn.microsoft.com/cpp/build/x64-calling-convention>. A function that uses xmm6 to
//! xmm15 stores the caller's values on its stack first, and restores them before it returns. Unwinding restores them, too. So
//! these registers hold no secret of the library after a call. During a call they may hold secrets of a function that is still
//! running, as memory may. Zeros in them would break that function, or the caller's.
//!
//! The functions are naked, because a compiler that sees upper halves change would save the lower ones on the stack.

use std::arch::naked_asm;

/// Zeroes every vector register that a called function may change.
pub(crate) fn clear_registers() {
    if is_x86_feature_detected!("avx512f") {
        clear_avx512();
    }
    if is_x86_feature_detected!("avx") { clear_avx() } else { clear_sse() }
}

#[unsafe(naked)]
extern "win64" fn clear_avx512() {
    naked_asm!(
        "vpxorq zmm16, zmm16, zmm16",
        "vpxorq zmm17, zmm17, zmm17",
        "vpxorq zmm18, zmm18, zmm18",
        "vpxorq zmm19, zmm19, zmm19",
        "vpxorq zmm20, zmm20, zmm20",
        "vpxorq zmm21, zmm21, zmm21",
        "vpxorq zmm22, zmm22, zmm22",
        "vpxorq zmm23, zmm23, zmm23",
        "vpxorq zmm24, zmm24, zmm24",
        "vpxorq zmm25, zmm25, zmm25",
        "vpxorq zmm26, zmm26, zmm26",
        "vpxorq zmm27, zmm27, zmm27",
        "vpxorq zmm28, zmm28, zmm28",
        "vpxorq zmm29, zmm29, zmm29",
        "vpxorq zmm30, zmm30, zmm30",
        "vpxorq zmm31, zmm31, zmm31",
        "ret",
    );
}

/// The upper halves of all sixteen, and xmm0 to xmm5.
#[unsafe(naked)]
extern "win64" fn clear_avx() {
    naked_asm!(
        "vzeroupper",
        "vpxor xmm0, xmm0, xmm0",
        "vpxor xmm1, xmm1, xmm1",
        "vpxor xmm2, xmm2, xmm2",
        "vpxor xmm3, xmm3, xmm3",
        "vpxor xmm4, xmm4, xmm4",
        "vpxor xmm5, xmm5, xmm5",
        "ret",
    );
}

#[unsafe(naked)]
extern "win64" fn clear_sse() {
    naked_asm!(
        "xorps xmm0, xmm0",
        "xorps xmm1, xmm1",
        "xorps xmm2, xmm2",
        "xorps xmm3, xmm3",
        "xorps xmm4, xmm4",
        "xorps xmm5, xmm5",
        "ret",
    );
}
