//! The limit: what one RSA-4096 OAEP-SHA256 decryption costs with AWS-LC and nothing around it.
//!
//! `decrypt N [THREADS]` prints one JSON line, the wall and CPU time of one decryption in microseconds. Each thread makes N of
//! them, with the same key. The times are divided by all of them.

use std::error::Error;
use std::time::{Duration, Instant};

use aws_lc_rs::rsa::{
    KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
};

/// Bytes of what every package wraps: an AES-256 key.
const CONTENT_KEY: [u8; 32] = [7; 32];

fn main() -> Result<(), Box<dyn Error>> {
    // cargo bench adds a flag of its own.
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<u32>().ok());
    let count = numbers.next().unwrap_or(100).max(1);
    let threads = numbers.next().unwrap_or(1).max(1);
    let private = PrivateDecryptingKey::generate(KeySize::Rsa4096)?;
    let public = OaepPublicEncryptingKey::new(private.public_key())?;
    let private = OaepPrivateDecryptingKey::new(private)?;
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA256_MGF1SHA256, &CONTENT_KEY, &mut wrapped, None)?;
    decrypt(&private, &wrapped, 1)?;

    let (wall, cpu) = (Instant::now(), cpu_time()?);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(|| decrypt(&private, &wrapped, count))).collect();
        all.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })?;
    let (wall, cpu) = (wall.elapsed() / (count * threads), (cpu_time()? - cpu) / (count * threads));
    println!("{{\"wall_us\": {}, \"cpu_us\": {}, \"peak_kb\": {}}}", wall.as_micros(), cpu.as_micros(), peak_kb()?);
    Ok(())
}

fn decrypt(private: &OaepPrivateDecryptingKey, wrapped: &[u8], count: u32) -> Result<(), &'static str> {
    let mut out = vec![0; private.min_output_size()];
    for _ in 0..count {
        private.decrypt(&OAEP_SHA256_MGF1SHA256, wrapped, &mut out, None).map_err(|_| "the decryption failed")?;
    }
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

/// Peak resident size. Not ru_maxrss, which begins with the peak of the program that started this one.
fn peak_kb() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim_end_matches("kB").trim().parse()?)
}
