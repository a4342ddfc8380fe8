//! Digests by what they are of, so that none can be taken for another: a diff ID is no chain ID. Each is `sha256:` (the one
//! that everybody uses) and 64 lower-case hex digits, looked at wherever it comes from outside: safe as a file's name.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

const BEGINNING: &str = "sha256:";

macro_rules! digests {
    ($($(#[$doc:meta])* $name:ident)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        #[allow(dead_code, reason = "one alphabet for all four")]
        impl $name {
            /// None: it is no digest.
            pub fn parse(text: &str) -> Option<$name> {
                text.strip_prefix(BEGINNING).and_then($name::of_hex)
            }

            pub fn of_hex(hex: &str) -> Option<$name> {
                valid_hex(hex).then(|| $name(format!("{BEGINNING}{hex}")))
            }

            /// `sha256:…`
            pub fn as_str(&self) -> &str {
                &self.0
            }

            pub fn hex(&self) -> &str {
                self.0.strip_prefix(BEGINNING).unwrap_or_default()
            }

            /// The first 12 digits.
            pub fn short(&self) -> &str {
                self.hex().get(..12).unwrap_or_default()
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<$name, String> {
                $name::parse(&text).ok_or_else(|| format!("no sha256 digest: {text:?}"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* };
}

digests! {
    /// Of a blob's bytes as they are stored and sent, compressed or not.
    BlobDigest
    /// Of a layer's uncompressed tar.
    DiffId
    /// Of a layer and all below it.
    ChainId
    /// An image's name for good: the digest of its configuration.
    ImageId
}

impl BlobDigest {
    pub fn of(hash: Sha256) -> BlobDigest {
        BlobDigest(text(hash))
    }

    pub fn of_bytes(bytes: &[u8]) -> BlobDigest {
        BlobDigest::of(Sha256::new_with_prefix(bytes))
    }
}

impl DiffId {
    /// Of the tar that has been hashed.
    pub fn of(hash: Sha256) -> DiffId {
        DiffId(text(hash))
    }

    /// Of a layer whose blob is not compressed.
    pub fn of_plain(blob: &BlobDigest) -> DiffId {
        DiffId(blob.0.clone())
    }
}

impl ImageId {
    pub fn of_config(blob: &BlobDigest) -> ImageId {
        ImageId(blob.0.clone())
    }

    /// The configuration.
    pub fn config(&self) -> BlobDigest {
        BlobDigest(self.0.clone())
    }
}

/// The chain ID of each layer: of the lowest its diff ID, of the others the digest of "chain below, blank, diff ID".
pub fn chain_ids(diff_ids: &[DiffId]) -> Vec<ChainId> {
    let mut chain: Vec<ChainId> = Vec::with_capacity(diff_ids.len());
    for diff in diff_ids {
        chain.push(ChainId(match chain.last() {
            None => diff.0.clone(),
            Some(below) => text(Sha256::new_with_prefix(format!("{below} {diff}"))),
        }));
    }
    chain
}

fn text(hash: Sha256) -> String {
    hash.finalize().iter().fold(BEGINNING.into(), |text, byte| text + &format!("{byte:02x}"))
}

/// 64 lower-case hex digits, as containers' ids are too.
pub fn valid_hex(hex: &str) -> bool {
    hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chain_ids_are_those_of_the_specification() {
        let blob = |text: String| BlobDigest::of_bytes(text.as_bytes()).to_string();
        let diffs: Vec<DiffId> = ["a", "b", "c"].map(|s| DiffId::of(Sha256::new_with_prefix(s))).to_vec();
        let chain = chain_ids(&diffs);
        assert_eq!(chain[0].as_str(), diffs[0].as_str());
        assert_eq!(chain[1].as_str(), blob(format!("{} {}", diffs[0], diffs[1])));
        assert_eq!(chain[2].as_str(), blob(format!("{} {}", chain[1], diffs[2])));
        assert!(chain_ids(&[]).is_empty());
    }

    #[test]
    fn only_a_digest_is_one() {
        let hex = "0123456789abcdef".repeat(4);
        let parsed: ImageId = serde_json::from_str(&format!("\"sha256:{hex}\"")).expect("a digest");
        assert_eq!((parsed.hex(), parsed.short()), (hex.as_str(), "0123456789ab"));
        assert_eq!(serde_json::to_string(&parsed).expect("json"), format!("\"sha256:{hex}\""));
        let upper = format!("sha256:{}", hex.to_uppercase());
        for bad in [
            "",
            "sha256:",
            "…",
            &hex,
            &upper,
            "sha256:../../../../../../../../../../../../../../../../../../etc/passwd00",
        ] {
            assert!(serde_json::from_value::<ImageId>(bad.into()).is_err(), "{bad}");
        }
    }
}
