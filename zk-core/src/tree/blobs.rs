//! Where nodes' bytes live: blobs of like size share pages, so that a node costs its bytes and little more.
//!
//! A blob is addressed by a 32-bit id. Blobs up to 1 KiB stand in 64 KiB pages of slots of one size;
//! larger ones have an allocation each. Freed slots are used again; pages are never given back.
//!
//! Invariants
//! - An id is valid from `insert` to `remove`; the caller never uses it after.

/// The address of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlobId(u32);

/// Bytes of many nodes.
#[derive(Debug)]
pub(crate) struct Blobs {
    pages: Vec<Page>,
    classes: Vec<Class>,
    large: Vec<Box<[u8]>>,
    large_free: Vec<u32>,
}

#[derive(Debug)]
struct Page {
    slot_size: usize,
    bytes: Box<[u8]>,
}

/// The pages of one slot size.
#[derive(Debug, Default)]
struct Class {
    free: Vec<BlobId>,
    /// The page that new slots come from, and how many it has given.
    filling: Option<(usize, usize)>,
}

const PAGE_SIZE: usize = 64 << 10;
const SLOT_STEP: usize = 8;
const SLOT_MAX: usize = 1 << 10;
const SLOT_BITS: u32 = 13;
const LARGE: u32 = 1 << 31;

impl Default for Blobs {
    fn default() -> Self {
        let classes = (0..SLOT_MAX / SLOT_STEP).map(|_| Class::default()).collect();
        Self { pages: Vec::new(), classes, large: Vec::new(), large_free: Vec::new() }
    }
}

impl Blobs {
    /// Stores a copy of `bytes`.
    pub(crate) fn insert(&mut self, bytes: &[u8]) -> BlobId {
        if bytes.len() > SLOT_MAX {
            return self.insert_large(bytes);
        }
        let class = class_of(bytes.len());
        let id = self.classes[class].free.pop().unwrap_or_else(|| self.new_slot(class));
        let (page, at) = self.place(id);
        self.pages[page].bytes[at..at + bytes.len()].copy_from_slice(bytes);
        id
    }

    /// Replaces what `id` holds; gives the id under which it stands from now on.
    pub(crate) fn replace(&mut self, id: BlobId, bytes: &[u8]) -> BlobId {
        if id.0 & LARGE == 0 && bytes.len() <= SLOT_MAX {
            let (page, at) = self.place(id);
            let page = &mut self.pages[page];
            if page.slot_size == (class_of(bytes.len()) + 1) * SLOT_STEP {
                page.bytes[at..at + bytes.len()].copy_from_slice(bytes);
                return id;
            }
        }
        self.remove(id);
        self.insert(bytes)
    }

    /// The bytes of a blob; a small one may be followed by what its slot held before.
    pub(crate) fn bytes(&self, id: BlobId) -> &[u8] {
        if id.0 & LARGE != 0 {
            return &self.large[index(id.0 & !LARGE)];
        }
        let (page, at) = self.place(id);
        let page = &self.pages[page];
        &page.bytes[at..at + page.slot_size]
    }

    /// Forgets a blob.
    pub(crate) fn remove(&mut self, id: BlobId) {
        if id.0 & LARGE != 0 {
            self.large[index(id.0 & !LARGE)] = Box::default();
            self.large_free.push(id.0);
            return;
        }
        let (page, _) = self.place(id);
        let class = self.pages[page].slot_size / SLOT_STEP - 1;
        self.classes[class].free.push(id);
    }

    fn insert_large(&mut self, bytes: &[u8]) -> BlobId {
        if let Some(id) = self.large_free.pop() {
            self.large[index(id & !LARGE)] = bytes.into();
            return BlobId(id);
        }
        let id = u32::try_from(self.large.len()).expect("fewer than 2^31 large nodes") | LARGE;
        self.large.push(bytes.into());
        BlobId(id)
    }

    fn new_slot(&mut self, class: usize) -> BlobId {
        let slot_size = (class + 1) * SLOT_STEP;
        let (page, slot) = match self.classes[class].filling {
            Some((page, given)) if (given + 1) * slot_size <= PAGE_SIZE => (page, given),
            _ => {
                self.pages.push(Page { slot_size, bytes: vec![0; PAGE_SIZE].into() });
                (self.pages.len() - 1, 0)
            }
        };
        self.classes[class].filling = Some((page, slot + 1));
        let id = page << SLOT_BITS | slot;
        let id = u32::try_from(id).ok().filter(|id| id & LARGE == 0);
        BlobId(id.expect("fewer than 2^18 pages: 16 GiB of small nodes"))
    }

    fn place(&self, id: BlobId) -> (usize, usize) {
        let (page, slot) = (index(id.0 >> SLOT_BITS), index(id.0 & ((1 << SLOT_BITS) - 1)));
        (page, slot * self.pages[page].slot_size)
    }
}

fn class_of(len: usize) -> usize {
    len.div_ceil(SLOT_STEP).max(1) - 1
}

fn index(n: u32) -> usize {
    usize::try_from(n).expect("addresses have at least 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_of_every_size_come_back_as_they_went_in() {
        let mut blobs = Blobs::default();
        let sample = |n: usize| vec![u8::try_from(n % 251).unwrap(); n];
        let ids: Vec<_> = (0..3000).map(|n| (n, blobs.insert(&sample(n)))).collect();
        for (n, id) in &ids {
            assert_eq!(blobs.bytes(*id)[..*n], sample(*n));
        }
        for (n, id) in ids {
            let id = blobs.replace(id, &sample(2999 - n));
            assert_eq!(blobs.bytes(id)[..2999 - n], sample(2999 - n));
        }
    }

    #[test]
    fn freed_slots_are_used_again() {
        let mut blobs = Blobs::default();
        for size in [100, 2000] {
            let first = blobs.insert(&vec![1; size]);
            blobs.remove(first);
            assert_eq!(blobs.insert(&vec![2; size]), first);
        }
    }
}
