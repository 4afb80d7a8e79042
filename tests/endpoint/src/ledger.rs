//! What is remembered per payload id: how often it came, and the AES keys of its last exchange.
//!
//! Only the newest ids are kept, so that a server that runs for weeks stays small.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

const KEPT: usize = 4096;

/// One payload id.
#[derive(Clone, Default)]
pub(crate) struct Entry {
    pub attempts: u32,
    pub request_key: Option<Vec<u8>>,
    pub response_key: Option<Vec<u8>>,
}

#[derive(Default)]
pub(crate) struct Ledger {
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    entries: HashMap<String, Entry>,
    order: VecDeque<String>,
}

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("nothing panics while it holds this lock")
    }

    /// Counts an attempt and says which one it is, from 1.
    pub fn attempt(&self, id: &str) -> u32 {
        let mut book = self.book();
        let entry = book.entry(id);
        entry.attempts += 1;
        entry.attempts
    }

    pub fn note_request_key(&self, id: &str, key: &[u8]) {
        self.book().entry(id).request_key = Some(key.to_vec());
    }

    pub fn note_response_key(&self, id: &str, key: &[u8]) {
        self.book().entry(id).response_key = Some(key.to_vec());
    }

    pub fn find(&self, id: &str) -> Option<Entry> {
        self.book().entries.get(id).cloned()
    }
}

impl Book {
    fn entry(&mut self, id: &str) -> &mut Entry {
        if !self.entries.contains_key(id) {
            if self.order.len() == KEPT
                && let Some(oldest) = self.order.pop_front()
            {
                self.entries.remove(&oldest);
            }
            self.order.push_back(id.to_owned());
        }
        self.entries.entry(id.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_attempts_and_forgets_the_oldest() {
        let ledger = Ledger::default();
        assert_eq!((ledger.attempt("a"), ledger.attempt("a"), ledger.attempt("b")), (1, 2, 1));
        for number in 0..KEPT {
            ledger.note_request_key(&number.to_string(), b"k");
        }
        assert!(ledger.find("a").is_none());
        assert_eq!(ledger.book().entries.len(), KEPT);
    }
}
