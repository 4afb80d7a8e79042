//! `_metadata.tpm_attestation`: what the answer says of the TPM, and how a test has that bent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::faults::AttestationFaults;
use crate::response::Response;
use crate::tpm::{Aik, Evidence, Tpm, sized};

/// The block for the answer to `payload_id`; null when there is to be none.
pub(crate) fn block(tpm: Option<&Tpm>, payload_id: &str, asked: &AttestationFaults) -> Result<Value, Response> {
    if let Some(block) = &asked.tpm {
        return Ok(block.clone());
    }
    let mut block = match tpm {
        Some(tpm) => quoted(tpm, payload_id, asked)?,
        None if asked.needs_tpm() => {
            return Err(Response::detail(400, "nomyo_test: a quote needs a server that was started with --tpm swtpm"));
        }
        None => json!({"is_available": false}),
    };
    if let Some(patch) = &asked.tpm_patch {
        merge(&mut block, patch);
    }
    Ok(block)
}

fn quoted(tpm: &Tpm, payload_id: &str, asked: &AttestationFaults) -> Result<Value, Response> {
    let aik = Aik { scheme: asked.tpm_scheme.unwrap_or_default(), hierarchy: asked.tpm_hierarchy.unwrap_or_default() };
    let evidence =
        tpm.quote(payload_id, &aik).map_err(|error| Response::detail(500, &format!("The TPM failed: {error}")))?;
    let Evidence { quote, signature, aik, pcrs } = evidence;
    let indices: Vec<String> = pcrs.iter().map(|(index, _)| index.to_string()).collect();
    let values: Map<String, Value> =
        pcrs.iter().map(|(index, value)| (index.to_string(), base16ct::lower::encode_string(value).into())).collect();
    Ok(json!({
        "is_available": true,
        "pcr_banks": format!("sha256:{}", indices.join(",")),
        "pcr_values": {"sha256": values},
        "quote_b64": STANDARD.encode(if asked.tpm_sized_quote { sized(&quote) } else { quote }),
        "signature_b64": STANDARD.encode(signature),
        "aik_pubkey_b64": STANDARD.encode(sized(&aik)),
    }))
}

/// RFC 7396: members are replaced, those that are to be null removed.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().expect("it was made one");
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without_tpm(asked: Value) -> Result<Value, u16> {
        let asked = serde_json::from_value(asked).expect("known members");
        block(None, "id", &asked).map_err(|refusal| refusal.status)
    }

    #[test]
    fn without_a_tpm_it_says_so_and_makes_no_quote() {
        assert_eq!(without_tpm(json!({})), Ok(json!({"is_available": false})));
        for wish in
            [json!({"tpm_scheme": "rsapss"}), json!({"tpm_hierarchy": "null"}), json!({"tpm_sized_quote": true})]
        {
            assert_eq!(without_tpm(wish), Err(400));
        }
    }

    #[test]
    fn it_is_replaced_or_patched_as_asked() {
        assert_eq!(without_tpm(json!({"tpm": null})), Ok(Value::Null));
        assert_eq!(without_tpm(json!({"tpm": [1], "tpm_scheme": "rsapss"})), Ok(json!([1])));
        assert_eq!(without_tpm(json!({"tpm_patch": {"is_available": "true"}})), Ok(json!({"is_available": "true"})));
    }

    /// The example of RFC 7396, section 3, shortened.
    #[test]
    fn a_patch_reaches_into_objects_and_removes_with_null() {
        let mut target = json!({"title": "Goodbye!", "author": {"given": "John", "family": "Doe"}, "tags": ["a", "b"]});
        merge(&mut target, &json!({"title": "Hello!", "author": {"family": null}, "tags": ["a"], "new": {"x": null}}));
        assert_eq!(target, json!({"title": "Hello!", "author": {"given": "John"}, "tags": ["a"], "new": {}}));
    }
}
