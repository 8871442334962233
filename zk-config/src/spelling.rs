//! How far two names are from each other: what a slip of the pen was probably meant to be.

/// The number of letters to insert, remove or replace to make `b` of `a`; `None` if it is above `limit`.
///
/// It takes the product of both lengths: names from strangers are to be cut before.
pub fn distance(a: &[u8], b: &[u8], limit: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    Some(row[b.len()]).filter(|distance| *distance <= limit)
}
