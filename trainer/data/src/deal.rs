//! How examples are dealt into parts: one by one, class by class, or in groups that stay whole.
//!
//! A permutation of the examples is drawn and cut into runs of the shares' sizes. Of classes each is dealt so by itself,
//! and what rounding gave a part too much or too little is carried to the next class, so that parts come out at their
//! sizes too. Groups are put one after the other where they bring the parts nearest to their shares, large ones first.

use crate::random::Random;
use std::cmp::Reverse;

/// What floating point loses of decimal fractions.
pub(crate) const TOLERANCE: f64 = 1e-9;

/// The examples that are dealt.
pub(crate) struct Examples {
    /// How many.
    pub(crate) count: usize,
    /// The class of each, where the classes' proportions are kept.
    pub(crate) classes: Option<Vec<i64>>,
    /// The group of each, from 0, where groups stay whole.
    pub(crate) groups: Option<Vec<usize>>,
}

impl Examples {
    /// The examples of each class.
    fn strata(&self) -> Vec<Vec<usize>> {
        match &self.classes {
            Some(classes) => members(classes.iter().map(|class| usize::try_from(*class).unwrap_or(0))),
            None => vec![(0..self.count).collect()],
        }
    }
}

/// The rows of each part, in the order of the source; `shares` sum to 1.
pub(crate) fn deal(shares: &[f64], random: &Random, examples: &Examples) -> Vec<Vec<usize>> {
    let mut parts = match &examples.groups {
        Some(groups) => whole_groups(shares, random, members(groups.iter().copied()), examples),
        None => one_by_one(shares, random, examples.strata()),
    };
    parts.iter_mut().for_each(|part| part.sort_unstable());
    parts
}

/// The rows of each kind, by the kind of each row.
pub(crate) fn members(kinds: impl Iterator<Item = usize>) -> Vec<Vec<usize>> {
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (row, kind) in kinds.enumerate() {
        if members.len() <= kind {
            members.resize(kind + 1, Vec::new());
        }
        members[kind].push(row);
    }
    members
}

fn one_by_one(shares: &[f64], random: &Random, strata: Vec<Vec<usize>>) -> Vec<Vec<usize>> {
    let mut parts = vec![Vec::new(); shares.len()];
    let mut carried = vec![0.0; shares.len()];
    for (index, mut stratum) in strata.into_iter().enumerate() {
        random.child(index as u64).shuffle(&mut stratum);
        let sizes = apportion(shares, stratum.len(), &mut carried);
        let mut rest = stratum.as_slice();
        for (part, size) in parts.iter_mut().zip(sizes) {
            let (taken, left) = rest.split_at(size);
            part.extend_from_slice(taken);
            rest = left;
        }
    }
    parts
}

/// Deals groups. Those of about one size are in random order, so that another seed is another split.
fn whole_groups(
    shares: &[f64],
    random: &Random,
    groups: Vec<Vec<usize>>,
    examples: &Examples,
) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..groups.len()).collect();
    random.child(0).shuffle(&mut order);
    order.sort_by_key(|group| Reverse(groups[*group].len().checked_ilog2()));

    let mut hands = Hands::new(shares, &groups, examples);
    for (done, &group) in order.iter().enumerate() {
        hands.put(group, groups.len() - done);
    }
    hands.settle(&order);
    let mut parts = vec![Vec::new(); shares.len()];
    for (group, rows) in groups.into_iter().enumerate() {
        parts[hands.part_of[group]].extend(rows);
    }
    parts
}

/// What each part holds while groups are dealt.
struct Hands {
    /// Each group's examples by class: of one class, where proportions do not matter.
    counts: Vec<Vec<(usize, f64)>>,
    /// The examples of each class.
    totals: Vec<f64>,
    /// By part and class, how many more a part holds than its share.
    over: Vec<Vec<f64>>,
    /// How many groups each part holds.
    held: Vec<usize>,
    part_of: Vec<usize>,
}

impl Hands {
    fn new(shares: &[f64], groups: &[Vec<usize>], examples: &Examples) -> Hands {
        let class_of = |row: &usize| {
            let classes = examples.classes.as_ref();
            classes.map_or(0, |classes| usize::try_from(classes[*row]).unwrap_or(0))
        };
        let mut totals = Vec::new();
        let mut counts = Vec::new();
        for rows in groups {
            let by_class = members(rows.iter().map(class_of));
            let counted = by_class.iter().enumerate().filter(|(_, rows)| !rows.is_empty());
            let counted: Vec<(usize, f64)> =
                counted.map(|(class, rows)| (class, rows.len() as f64)).collect();
            totals.resize(totals.len().max(by_class.len()), 0.0);
            counted.iter().for_each(|(class, count)| totals[*class] += count);
            counts.push(counted);
        }
        let over = shares
            .iter()
            .map(|share| totals.iter().map(|total| -share * total).collect())
            .collect();
        Hands {
            part_of: vec![0; groups.len()],
            held: vec![0; shares.len()],
            counts,
            totals,
            over,
        }
    }

    /// Puts a group where it is missed most. With as few groups `left` as parts without any, each of these gets one.
    fn put(&mut self, group: usize, left: usize) {
        let empty = self.held.iter().filter(|held| **held == 0).count();
        let parts = (0..self.held.len()).filter(|part| left > empty || self.held[*part] == 0);
        let worth: Vec<(usize, f64)> = parts.map(|part| (part, self.excess(group, part))).collect();
        let least = worth.iter().copied().reduce(
            |best, other| {
                if other.1 < best.1 - TOLERANCE { other } else { best }
            },
        );
        let part = least.map_or(0, |(part, _)| part);
        self.give(group, part, 1.0);
        self.part_of[group] = part;
        self.held[part] += 1;
    }

    /// Moves single groups, small ones first, as long as that brings parts nearer to their shares.
    fn settle(&mut self, order: &[usize]) {
        /// More rounds than settle anything: each makes the sum of squares smaller.
        const ROUNDS: usize = 100;
        for _ in 0..ROUNDS {
            let mut moved = false;
            for &group in order.iter().rev() {
                moved |= self.move_on(group);
            }
            if !moved {
                break;
            }
        }
    }

    fn move_on(&mut self, group: usize) -> bool {
        let from = self.part_of[group];
        if self.held[from] == 1 {
            return false;
        }
        self.give(group, from, -1.0);
        let stays = self.excess(group, from);
        let to = (0..self.held.len())
            .find(|part| self.excess(group, *part) < stays - TOLERANCE)
            .unwrap_or(from);
        self.give(group, to, 1.0);
        self.part_of[group] = to;
        self.held[from] -= 1;
        self.held[to] += 1;
        to != from
    }

    /// How much the sum of the squares of `over`, each class weighed alike, would grow if `part` got the group: half of
    /// it, less what is the same for every part.
    fn excess(&self, group: usize, part: usize) -> f64 {
        let counts = self.counts[group].iter();
        counts
            .map(|(class, count)| count * self.over[part][*class] / self.totals[*class])
            .sum()
    }

    fn give(&mut self, group: usize, part: usize, sign: f64) {
        for (class, count) in &self.counts[group] {
            self.over[part][*class] += sign * count;
        }
    }
}

/// Whole sizes that sum to `count` and follow `shares`: largest remainders, the first of equals. `carried` is what
/// earlier calls owe each part, and is brought up to date.
fn apportion(shares: &[f64], count: usize, carried: &mut [f64]) -> Vec<usize> {
    let ideal: Vec<f64> = shares
        .iter()
        .zip(carried.iter())
        .map(|(share, owed)| share * count as f64 + owed)
        .collect();
    // A hair is added, so that 0.7 * 10 = 6.999… gives 7.
    let mut sizes: Vec<usize> = ideal
        .iter()
        .map(|size| (size + TOLERANCE).floor().max(0.0) as usize)
        .collect();
    while sizes.iter().sum::<usize>() < count {
        let owed = |part: &usize| ideal[*part] - sizes[*part] as f64;
        let most = (0..sizes.len()).fold(0, |best, part| {
            if owed(&part) > owed(&best) + TOLERANCE {
                part
            } else {
                best
            }
        });
        sizes[most] += 1;
    }
    while sizes.iter().sum::<usize>() > count {
        let over = |part: &usize| {
            if sizes[*part] > 0 {
                sizes[*part] as f64 - ideal[*part]
            } else {
                f64::NEG_INFINITY
            }
        };
        let most = (0..sizes.len()).fold(0, |best, part| {
            if over(&part) > over(&best) + TOLERANCE {
                part
            } else {
                best
            }
        });
        sizes[most] -= 1;
    }
    for ((owed, ideal), size) in carried.iter_mut().zip(ideal).zip(&sizes) {
        *owed = ideal - *size as f64;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples(groups: &[usize], classes: Option<Vec<i64>>) -> Examples {
        Examples {
            count: groups.len(),
            classes,
            groups: Some(groups.to_vec()),
        }
    }

    /// Groups of the sizes `1..=most`, one after the other.
    fn staircase(most: usize) -> Vec<usize> {
        (0..most)
            .flat_map(|group| std::iter::repeat_n(group, group + 1))
            .collect()
    }

    #[test]
    fn rounding_goes_to_the_largest_remainder() {
        assert_eq!(apportion(&[0.5, 0.5], 3, &mut [0.0; 2]), [2, 1]);
        assert_eq!(apportion(&[0.7, 0.1, 0.2], 10, &mut [0.0; 3]), [7, 1, 2]);
        assert_eq!(apportion(&[0.7, 0.1, 0.2], 1797, &mut [0.0; 3]), [1258, 180, 359]);
        assert_eq!(apportion(&[0.6, 0.2, 0.2], 1, &mut [0.0; 3]), [1, 0, 0]);
    }

    #[test]
    fn groups_stay_whole_and_shares_are_met() {
        let groups = staircase(40);
        let shares = [0.7, 0.1, 0.2];
        for seed in 0..20 {
            let parts = deal(&shares, &Random::new(seed, "split"), &examples(&groups, None));
            let mut all = parts.concat();
            all.sort_unstable();
            assert_eq!(all, (0..groups.len()).collect::<Vec<_>>());
            for (part, share) in parts.iter().zip(shares) {
                let whole = part.iter().all(|row| {
                    let same = groups.iter().filter(|group| **group == groups[*row]).count();
                    part.iter()
                        .filter(|other| groups[**other] == groups[*row])
                        .count()
                        == same
                });
                assert!(whole, "a group is cut");
                let ideal = share * groups.len() as f64;
                assert!(
                    (part.len() as f64 - ideal).abs() <= 2.0,
                    "{} of {ideal}",
                    part.len()
                );
            }
        }
    }

    #[test]
    fn another_seed_is_another_deal_of_groups() {
        let groups = staircase(30);
        let deal = |seed| deal(&[0.5, 0.5], &Random::new(seed, "split"), &examples(&groups, None));
        assert_eq!(deal(1), deal(1));
        assert_ne!(deal(1), deal(2));
    }

    #[test]
    fn groups_keep_proportions_of_classes_where_they_can() {
        // 60 groups of ten; every third one has class 1 alone.
        let groups: Vec<usize> = (0..600).map(|row| row / 10).collect();
        let classes: Vec<i64> = groups.iter().map(|group| i64::from(group % 3 == 0)).collect();
        let shares = [0.5, 0.3, 0.2];
        let parts = deal(
            &shares,
            &Random::new(4, "split"),
            &examples(&groups, Some(classes.clone())),
        );
        for (part, share) in parts.iter().zip(shares) {
            let ones = part.iter().filter(|row| classes[**row] == 1).count();
            assert_eq!(ones as f64, share * 200.0);
            assert_eq!(part.len() as f64, share * 600.0);
        }
    }

    #[test]
    fn a_small_part_gets_a_group_where_there_are_enough() {
        let groups: Vec<usize> = (0..100).map(|row| row / 20).collect();
        let parts = deal(
            &[0.8, 0.1, 0.1],
            &Random::new(1, "split"),
            &examples(&groups, None),
        );
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [60, 20, 20]);
    }
}
