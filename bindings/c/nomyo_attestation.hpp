/*
 * nomyo_attestation.hpp: the minimum that a TPM quote must prove, and the judgement of a quote. Part of nomyo.hpp, which includes
 * it.
 */

#ifndef NOMYO_ATTESTATION_HPP
#define NOMYO_ATTESTATION_HPP

#include "nomyo_result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

NOMYO_HPP_BEGIN

/** The minimum that an answer's TPM quote must prove. Default: nothing. nomyo.h lists the levels and their limits. */
class AttestationPolicy
    : public detail::Settings<AttestationPolicy, nomyo_attestation_policy, nomyo_attestation_policy_free> {
public:
    AttestationPolicy() : Settings(nomyo_attestation_policy_new()) {}

    /** Withholds answers below one of the NOMYO_ATTESTATION_ levels: AttestationError. */
    AttestationPolicy &require(int32_t level) { return set(nomyo_attestation_policy_require, level); }
    /** Allows a value for a register, such as `sha256`, 0 and 64 hexadecimal digits. Several values are alternatives. */
    AttestationPolicy &allow_pcr(const std::string &bank, uint32_t index, const std::string &hex) {
        return set(nomyo_attestation_policy_allow_pcr, bank, index, hex);
    }
};

/**
 * Judges an attestation block that was received elsewhere: the JSON object that an answer has as `_metadata.tpm_attestation`.
 * `payload_id` is the id of the request that it was made for. `policy` may be NULL. A block that proves less than the policy
 * requires is an AttestationError. Without a policy every block gets a verdict.
 */
inline Result<nomyo_attestation> try_attestation_verify(std::string_view block_json, const std::string &payload_id,
                                                        const AttestationPolicy *policy = nullptr) noexcept {
    nomyo_attestation verdict{};
    if (auto failure = detail::call(nomyo_attestation_verify, detail::bytes(block_json), block_json.size(), payload_id, policy,
                                    &verdict, sizeof verdict))
        return std::move(*failure);
    return verdict;
}
#ifdef __cpp_exceptions
inline nomyo_attestation attestation_verify(std::string_view block_json, const std::string &payload_id) {
    return try_attestation_verify(block_json, payload_id).take();
}
inline nomyo_attestation attestation_verify(std::string_view block_json, const std::string &payload_id,
                                            const AttestationPolicy &policy) {
    return try_attestation_verify(block_json, payload_id, &policy).take();
}
#endif

NOMYO_HPP_END

#endif // NOMYO_ATTESTATION_HPP
