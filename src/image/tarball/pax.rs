//! A PAX header: records that are taken by their length, never by line.

use super::header::decimal;
use super::{LayerError, MAX_PIECES, too_large};
use crate::event::ArchiveFlaw;

/// The records of one PAX header that matter here.
#[derive(Default)]
pub(super) struct Pax {
    pub(super) present: bool,
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) mtime: Option<(i64, u32)>,
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: PaxSparse,
}

#[derive(Default)]
pub(super) struct PaxSparse {
    pub(super) present: bool,
    pub(super) map_in_content: bool,
    pub(super) name: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) offset: u64,
    pub(super) pieces: Vec<(u64, u64)>,
}

impl Pax {
    /// `"LENGTH KEY=VALUE\n"`, the length counting itself: a value may hold any byte.
    pub(super) fn parse(mut data: &[u8]) -> Result<Pax, LayerError> {
        let broken = || LayerError::Flaw(ArchiveFlaw::NotAnArchive { what: "pax".into() });
        let mut pax = Pax { present: true, ..Pax::default() };
        while !data.is_empty() {
            let blank = data.iter().take(20).position(|&b| b == b' ').ok_or_else(broken)?;
            let length = data.get(..blank).and_then(decimal).and_then(|n| usize::try_from(n).ok());
            let length = length.filter(|&n| n > blank + 1).ok_or_else(broken)?;
            let record = data.get(blank + 1..length).and_then(|r| r.strip_suffix(b"\n")).ok_or_else(broken)?;
            let equals = record.iter().position(|&b| b == b'=').ok_or_else(broken)?;
            let (key, value) = (record.get(..equals).unwrap_or_default(), record.get(equals + 1..).unwrap_or_default());
            pax.take(key, value).ok_or_else(broken)?;
            data = data.get(length..).unwrap_or_default();
        }
        if pax.sparse.pieces.len() > MAX_PIECES {
            return Err(too_large("sparse map", MAX_PIECES as u64));
        }
        Ok(pax)
    }

    /// Takes one record; None when its value cannot be read. An empty value takes back what was said.
    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let number = || if value.is_empty() { Some(None) } else { decimal(value).map(Some) };
        let bytes = || Some(value.to_vec()).filter(|v| !v.is_empty());
        match key {
            b"path" => self.path = bytes(),
            b"linkpath" => self.link = bytes(),
            b"size" => self.size = number()?,
            b"uid" => self.uid = number()?,
            b"gid" => self.gid = number()?,
            b"mtime" => self.mtime = if value.is_empty() { None } else { Some(pax_time(value)?) },
            b"GNU.sparse.name" => self.sparse.name = bytes(),
            b"GNU.sparse.major" => {
                self.sparse.present = true;
                self.sparse.map_in_content = value == b"1";
            }
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => {
                self.sparse.present = true;
                self.sparse.size = number()?;
            }
            b"GNU.sparse.offset" => self.sparse.offset = decimal(value)?,
            b"GNU.sparse.numbytes" => self.sparse.pieces.push((self.sparse.offset, decimal(value)?)),
            b"GNU.sparse.map" => {
                let numbers: Option<Vec<u64>> = value.split(|&b| b == b',').map(decimal).collect();
                let pairs = numbers?;
                self.sparse.pieces = pairs.chunks_exact(2).filter_map(|p| Some((*p.first()?, *p.get(1)?))).collect();
            }
            _ => {
                if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                    self.xattrs.retain(|(known, _)| known != name);
                    self.xattrs.extend(bytes().map(|value| (name.to_vec(), value)));
                }
            }
        }
        Some(())
    }
}

/// `-315360000.25`: seconds may be negative and have a fraction, of which nine digits count.
fn pax_time(value: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(value).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos: u32 = digits.parse().ok()?;
    match nanos {
        0 => Some((seconds, 0)),
        _ if whole.starts_with('-') => Some((seconds.checked_sub(1)?, 1_000_000_000 - nanos)),
        _ => Some((seconds, nanos)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_and_with_fractions() {
        assert_eq!(pax_time(b"1234567890.123456789"), Some((1234567890, 123456789)));
        assert_eq!(pax_time(b"-1.5"), Some((-2, 500_000_000)));
        assert_eq!(pax_time(b"-0.25"), Some((-1, 750_000_000)));
        assert_eq!(pax_time(b"7"), Some((7, 0)));
        assert_eq!(pax_time(b"1.x"), None);
    }

    #[test]
    fn pax_records_are_taken_by_length() {
        let value = b"a\n20 path=/etc/passwd\n";
        let mut data = format!("{} SCHILY.xattr.user.x=", 24 + value.len()).into_bytes();
        data.extend_from_slice(value);
        data.push(b'\n');
        let pax = Pax::parse(&data);
        match pax {
            Ok(pax) => {
                assert_eq!(pax.path, None);
                assert_eq!(pax.xattrs, vec![(b"user.x".to_vec(), value.to_vec())]);
            }
            Err(e) => panic!("{e:?} {data:?}"),
        }
        for broken in [&b"5 a=b"[..], b"99 path=x\n", b"0 =\n", b"x", b"18446744073709551615 a=b\n", b"6 a=b\n\n"] {
            assert!(Pax::parse(broken).is_err(), "{broken:?}");
        }
    }
}
