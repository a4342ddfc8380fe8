//! Names that are known, and "did you mean": the nearest of them.

/// Whether a word stands in a list of words.
pub fn is_one(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

/// The known name that is fewest typing errors away, if that is few enough to be meant: one in a short word, two or three in
/// a longer one. Two swapped neighbours count once; an anagram may have two, and wins a tie.
pub fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // No name is longer, and the distance is quadratic.
    if typed.len() > 64 {
        return None;
    }
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    let letters = sorted(typed);
    let reach = match letters.len() {
        0..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    known
        .map(|name| (strsim::osa_distance(typed, name), sorted(name) != letters, name))
        .filter(|(d, other, name)| (1..name.len()).contains(d) && *d <= if *other { reach } else { reach.max(2) })
        .min_by_key(|(d, other, _)| (*d, *other))
        .map(|(_, _, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_near() {
        for (typed, known, meant) in [
            ("loing", &["logs", "login", "load"][..], Some("login")),
            ("rnu", &["rm", "run"], Some("run")),
            ("exce", &["exec"], Some("exec")),
            ("imagse", &["image", "images"], Some("images")),
            ("lst", &["ls", "list"], Some("ls")),
            ("volme", &["volume"], Some("volume")),
            ("zzz", &["ps", "run"], None),
            ("python", &["run", "pull"], None),
            ("run", &["run"], None),
            // A whole name made of errors is no suggestion.
            ("x", &["y"], None),
        ] {
            assert_eq!(nearest(typed, known.iter().copied()), meant, "{typed}");
        }
        for slip in ["docekr", "dokcer", "dcoker", "docke", "dockre", "Docker"] {
            assert_eq!(nearest(slip, ["docker", "docent"].into_iter()), Some("docker"), "{slip}");
        }
        assert_eq!(nearest(&"a".repeat(100_000), ["attach"].into_iter()), None);
    }
}
