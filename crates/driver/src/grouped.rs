//! Items gathered by a key, the keys in the order in which they first occur.

use std::collections::BTreeMap;

/// The items of each key, in their own order.
pub(crate) fn grouped<K: Ord + Copy, T>(items: impl Iterator<Item = (K, T)>) -> Vec<(K, Vec<T>)> {
    let mut places = BTreeMap::new();
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for (key, item) in items {
        let place = *places.entry(key).or_insert(groups.len());
        if place == groups.len() {
            groups.push((key, Vec::new()));
        }
        groups[place].1.push(item);
    }
    groups
}
