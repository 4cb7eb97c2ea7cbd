//! "Did you mean": names that are near a name, and names in a sentence.

/// The candidates that are near `name`, nearest first, at most three. Case counts little.
pub(crate) fn near<'c>(name: &str, candidates: impl Iterator<Item = &'c str>) -> Vec<&'c str> {
    let allowed = match name.chars().count() {
        0 => return Vec::new(),
        1..=4 => 1,
        5..=8 => 2,
        length => length / 3,
    };
    let mut found: Vec<(usize, &str)> = candidates
        .filter(|candidate| *candidate != name)
        .filter_map(|candidate| distance(name, candidate, allowed).map(|distance| (distance, candidate)))
        .collect();
    found.sort();
    found.dedup();
    // Of those that are nearest: farther ones only make one doubt.
    let best = found.first().map(|(distance, _)| *distance);
    found.retain(|(distance, _)| Some(*distance) == best);
    // What shares no letter with a name of one or two is no help.
    // Of three letters another one makes another word: `gpu` is no slip for `cpu`.
    let short = name.chars().count() <= 3;
    found.retain(|(_, candidate)| {
        let same_first = |other: &str| name.chars().next() == other.chars().next();
        let shared = |c: char| name.chars().any(|n| n.eq_ignore_ascii_case(&c));
        let same_length = candidate.chars().count() == name.chars().count();
        candidate.chars().any(shared)
            && (!(short && same_length) || candidate.chars().all(shared) || same_first(candidate))
    });
    found
        .into_iter()
        .take(3)
        .map(|(_, candidate)| candidate)
        .collect()
}

/// The candidate that is nearest, if one is near.
pub(crate) fn nearest<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    near(name, candidates.into_iter()).first().copied()
}

/// The parameter that is meant by `label`: one that is near, one that is a word of it (`classes` of `num_classes`), or
/// one that is its initials (`lr` of `learning_rate`).
pub(crate) fn parameter<'c>(
    label: &str,
    candidates: impl Iterator<Item = &'c str> + Clone,
) -> Option<&'c str> {
    let words =
        |text: &str, of: &str| text.len() >= 3 && of.contains('_') && of.split('_').any(|word| word == text);
    let initials = |text: &str, of: &str| {
        of.contains('_')
            && of
                .split('_')
                .filter_map(|word| word.chars().next())
                .eq(text.chars())
    };
    let known = crate::habits::parameters(label).iter();
    let known = known
        .filter_map(|meant| candidates.clone().find(|name| name == meant))
        .next();
    known.or_else(|| nearest(label, candidates.clone())).or_else(|| {
        let mut candidates = candidates;
        candidates.find(|name| words(name, label) || initials(name, label) || initials(label, name))
    })
}

/// A type with its article: `` an `Int` ``.
pub(crate) fn a(shown: &str) -> String {
    let an = shown.starts_with(['A', 'E', 'I', 'O', 'U']);
    format!("{} `{shown}`", if an { "an" } else { "a" })
}

/// `` `a`, `b` and `c` ``; of many only the first are named.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if quoted.len() > 12 {
        let more = quoted.len() - 10;
        quoted.truncate(10);
        return format!("{} and {more} more", quoted.join(", "));
    }
    match quoted.pop() {
        None => "none".to_owned(),
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} and {last}", quoted.join(", ")),
    }
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// ` — did you mean …?`, as help.
pub(crate) fn did_you_mean(names: &[&str]) -> Option<String> {
    (!names.is_empty()).then(|| format!("did you mean {}?", one_of(names.iter().copied())))
}

/// How many letters must be put in, left out, replaced or swapped with their neighbour; none beyond `allowed`.
fn distance(a: &str, b: &str, allowed: usize) -> Option<usize> {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    if a.len().abs_diff(b.len()) > allowed {
        return None;
    }
    let width = b.len() + 1;
    let mut before = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for (i, &from) in a.iter().enumerate() {
        let mut row = vec![i + 1; width];
        for (j, &to) in b.iter().enumerate() {
            row[j + 1] = (last[j] + usize::from(from != to))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && from == b[j - 1] && a[i - 1] == to {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    Some(last[b.len()]).filter(|distance| *distance <= allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names() {
        let names = ["conv2d", "conv1d", "linear", "max_pool2d", "lr"];
        let near = |name| near(name, names.iter().copied());
        assert_eq!(near("conv2D"), ["conv2d"]);
        assert_eq!(near("conv3d"), ["conv1d", "conv2d"]);
        assert_eq!(near("liner"), ["linear"]);
        assert_eq!(near("lienar"), ["linear"]);
        assert_eq!(near("rl"), ["lr"]);
        assert!(near("banana").is_empty());
        assert_eq!(
            did_you_mean(&["a", "b", "c"]).as_deref(),
            Some("did you mean `a`, `b` or `c`?")
        );
    }

    #[test]
    fn the_nearest_name_is_meant() {
        let nearest = |name| nearest(name, ["evaluate", "fit", "seed", "relu", "gelu"]);
        assert_eq!(nearest("evalute"), Some("evaluate"));
        assert_eq!(nearest("fti"), Some("fit"));
        assert_eq!(nearest("sed"), Some("seed"));
        assert_eq!(nearest("ReLU"), Some("relu"));
        assert_eq!(nearest("x"), None);
    }

    #[test]
    fn parameters_by_another_name() {
        let of = |label| parameter(label, ["lr", "classes", "batch_size"].into_iter());
        assert_eq!(of("learning_rate"), Some("lr"));
        assert_eq!(of("num_classes"), Some("classes"));
        assert_eq!(of("bs"), Some("batch_size"));
        assert_eq!(of("gpu"), None);
        assert_eq!((a("Int"), a("Str")), ("an `Int`".into(), "a `Str`".into()));
    }

    #[test]
    fn lists_read_as_a_sentence() {
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(listed(["a"]), "`a`");
        assert_eq!(listed([]), "none");
    }
}
