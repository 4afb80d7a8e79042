//! Measures the verdict on one quote: the genuine quotes of the fixtures, block to verdict, report included.
//!
//! `attestation N` prints one JSON line, the CPU time of one verdict in microseconds over N of them, for each quote.

use std::error::Error;
use std::time::Duration;

use nomyo::{AttestationLevel, AttestationPolicy, verify_attestation};
use serde_json::{Map, Value};

const QUOTES: &str = include_str!("../tests/fixtures/tpm/swtpm.jsonl");

fn main() -> Result<(), Box<dyn Error>> {
    // cargo bench adds a flag of its own.
    let count: u32 = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(2_000).max(1);
    let policy = AttestationPolicy::new();
    let mut figures = Map::new();
    for line in QUOTES.lines() {
        let line: Value = serde_json::from_str(line)?;
        let text = |name: &str| line[name].as_str().ok_or("a fixture without a name");
        let (name, id, block) = (text("name")?, text("payload_id")?, line["tpm_attestation"].to_string());
        let judge = || verify_attestation(block.as_bytes(), id, &policy);
        if judge()?.level() != AttestationLevel::Consistent {
            return Err(format!("{name} is not consistent").into());
        }
        let start = cpu_time()?;
        for _ in 0..count {
            std::hint::black_box(judge()?.report());
        }
        figures.insert(name.to_owned(), (((cpu_time()? - start) / count).as_nanos() as f64 / 1e3).into());
    }
    println!("{}", Value::Object(figures));
    Ok(())
}

/// User and system time of this process.
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a live, writable timespec for the length of the call.
    if unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut now) } != 0 {
        return Err("this system does not count CPU time".into());
    }
    Ok(Duration::new(now.tv_sec.try_into()?, now.tv_nsec.try_into()?))
}
