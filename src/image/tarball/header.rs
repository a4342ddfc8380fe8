//! A tar header's fields: names that end at a zero byte, numbers in octal or in base 256.

/// One header block as it came.
pub(super) struct Block(pub(super) [u8; 512]);

impl Block {
    pub(super) fn number(&self, at: usize, len: usize) -> Option<i64> {
        self.0.get(at..at + len).and_then(numeric)
    }

    pub(super) fn path(&self) -> Vec<u8> {
        let name = text(&self.0[..100]);
        // GNU's magic is "ustar  ": it has times where ustar has the prefix.
        let prefix = if &self.0[257..263] == b"ustar\0" { text(&self.0[345..500]) } else { b"" };
        if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
    }
}

pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|&b| b == 0).next().unwrap_or_default()
}

pub(super) fn trimmed(mut name: Vec<u8>) -> Vec<u8> {
    while name.last() == Some(&0) {
        name.pop();
    }
    name
}

/// Octal digits between blanks, or base 256 in two's complement when the first bit is set.
pub(super) fn numeric(field: &[u8]) -> Option<i64> {
    let first = *field.first()?;
    if first & 0x80 != 0 {
        let start: i128 = if first & 0x40 != 0 { -1 } else { 0 };
        let bits = |i: usize, b: u8| if i == 0 { (b & 0x7f) | if start < 0 { 0x80 } else { 0 } } else { b };
        let value = field.iter().enumerate().fold(start, |n, (i, &b)| (n << 8) | i128::from(bits(i, b)));
        return i64::try_from(value).ok();
    }
    let blank = |b: &u8| *b == b' ' || *b == 0;
    let digits: Vec<u8> = field.iter().copied().skip_while(blank).take_while(|b| !blank(b)).collect();
    digits.iter().try_fold(0i64, |n, &b| {
        let digit = i64::from(b.checked_sub(b'0').filter(|&d| d < 8)?);
        n.checked_mul(8)?.checked_add(digit)
    })
}

pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What is known to be compressed by its first bytes.
pub fn compression(head: &[u8]) -> Option<&'static str> {
    [
        (&b"\x1f\x8b"[..], "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"BZh", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"PK\x03\x04", "zip"),
    ]
    .iter()
    .find(|(magic, _)| head.starts_with(magic))
    .map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_octal_and_base_256() {
        assert_eq!(numeric(b"0000644\0"), Some(0o644));
        assert_eq!(numeric(b"   644 \0"), Some(0o644));
        assert_eq!(numeric(b"\0\0\0\0"), Some(0));
        assert_eq!(numeric(b"0000648\0"), None);
        assert_eq!(numeric(&[0x80, 0, 0, 0, 0, 0, 1, 0]), Some(256));
        assert_eq!(numeric(&[0xff; 12]), Some(-1));
        assert_eq!(numeric(&[0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
