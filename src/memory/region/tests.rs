//! Regions with the system's pages, and with pages of 64 KiB.

use std::process::Command;

use super::super::os;
use super::*;

/// Asks for pages of 64 KiB when it is in the environment with which a process begins.
const LARGE_PAGES: &str = "NOMYO_TEST_64K_PAGES";

/// Whether the byte at `address` can be read and written, by the kernel's flags of its mapping.
fn is_usable(address: usize) -> bool {
    match os::flags_at(address, [b"rd", b"wr"]) {
        Some([true, true]) => true,
        Some([false, false]) | None => false,
        Some(other) => panic!("{other:?}"),
    }
}

#[test]
fn the_page_size_is_the_system_s_or_the_one_asked_for() {
    // SAFETY: sysconf reads no memory of ours.
    let system = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).expect("a size");
    let expected = if std::env::var_os(LARGE_PAGES).is_some() { system.max(65_536) } else { system };
    assert_eq!(os::page_size(), expected);
}

#[test]
fn whole_pages_guard_both_ends_of_a_region() {
    let page = os::page_size();
    for len in [1, page - 1, page, page + 1, 5 * page, ALIGNMENT, HUGE + 1] {
        for kind in [Kind::Heap, Kind::Secret, Kind::Wire] {
            let header = map(kind, NO_ARENA, len, Unlockable::Use).expect("memory");
            // SAFETY: just mapped.
            let region = unsafe { header.as_ref() };
            let (first, data, bytes) = (header.addr().get(), region.data().addr().get(), region.len());
            assert_eq!((first % ALIGNMENT, data - first), (0, 2 * page), "{kind:?} of {len}");
            assert_eq!(bytes, len.next_multiple_of(page), "{kind:?} of {len}");
            for (address, expected) in [
                (first, true),
                (room(header).addr().get() + ROOM - 1, true),
                (first + page, false),
                (data - 1, false),
                (data, true),
                (data + bytes - 1, true),
                (data + bytes, false),
                (data + bytes + page - 1, false),
            ] {
                assert_eq!(is_usable(address), expected, "{kind:?} of {len}: byte {} of the mapping", address - first);
            }
            // SAFETY: mapped above with `bytes` bytes of data, and nobody else's.
            unsafe {
                let whole = std::slice::from_raw_parts_mut(region.data().as_ptr(), bytes);
                assert!(whole.iter().all(|&byte| byte == 0));
                whole.fill(7);
                for at in [0, bytes.min(ALIGNMENT - 2 * page) - 1] {
                    assert_eq!(find(region.data().add(at)), header);
                }
                os::wipe(whole);
                unmap(header);
            }
        }
    }
}

/// The vault's own tests again, in a process whose pages are of 64 KiB.
#[test]
#[cfg(debug_assertions)]
fn the_vault_passes_its_tests_with_pages_of_64_kib() {
    if std::env::var_os(LARGE_PAGES).is_some() {
        return; // this is that process
    }
    let tests = std::env::current_exe().expect("this program");
    let done = Command::new(tests).arg("memory::").env(LARGE_PAGES, "1").output().expect("it starts");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    for needed in ["the_page_size_is_the_system_s_or_the_one_asked_for", "whole_pages_guard_both_ends_of_a_region"] {
        assert!(said.contains(&format!("{needed} ... ok")), "{said}");
    }
}
