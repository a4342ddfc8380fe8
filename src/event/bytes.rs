//! Names as the kernel has them: bytes, which need not be UTF-8.

use super::{Argument, Lang, Word};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// A path or another name. In JSON a string, or `{"bytes": "<base64>"}` where it is not UTF-8.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(Vec<u8>);

impl Bytes {
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }

    pub fn as_path(&self) -> &Path {
        Path::new(self.as_os_str())
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// As a program's output is read, where what is not UTF-8 counts for one sign.
    pub fn lossy(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// As people read it: what is not UTF-8 in the form `\xff`, so that two names never look alike.
    pub fn shown(&self) -> String {
        let mut out = String::new();
        for chunk in self.0.utf8_chunks() {
            out.push_str(chunk.valid());
            out.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
        }
        out
    }

    /// As a shell reads it: quoted where it has to be, `$'…'` where it is not UTF-8 or would not be seen as it is.
    pub fn quoted(&self) -> String {
        match self.text().filter(|text| !text.contains(super::words::unseen)) {
            Some(text) => shlex::try_quote(text).map_or_else(|_| text.to_string(), |quoted| quoted.into_owned()),
            None => {
                let escaped = self.0.iter().map(|byte| match byte {
                    b'\'' | b'\\' => format!("\\{}", *byte as char),
                    0x20..=0x7e => (*byte as char).to_string(),
                    other => format!("\\{other:03o}"),
                });
                format!("$'{}'", escaped.collect::<String>())
            }
        }
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

impl From<&OsStr> for Bytes {
    fn from(name: &OsStr) -> Bytes {
        Bytes(name.as_bytes().to_vec())
    }
}

impl From<OsString> for Bytes {
    fn from(name: OsString) -> Bytes {
        Bytes(name.into_vec())
    }
}

impl From<&Path> for Bytes {
    fn from(path: &Path) -> Bytes {
        path.as_os_str().into()
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Bytes {
        Bytes(text.into())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Bytes {
        Bytes(text.into())
    }
}

impl Word for Bytes {
    fn word(&self, lang: Lang) -> String {
        self.shown().word(lang)
    }
}

impl Argument for Bytes {
    fn argument(&self) -> String {
        super::words::readable(self.quoted())
    }
}

#[derive(Serialize, Deserialize)]
struct Encoded {
    bytes: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Encoded(Encoded),
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.text() {
            Some(text) => to.serialize_str(text),
            None => Encoded { bytes: STANDARD.encode(&self.0) }.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        match Written::deserialize(from)? {
            Written::Text(text) => Ok(Bytes(text.into())),
            Written::Encoded(encoded) => STANDARD.decode(encoded.bytes).map(Bytes).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_text_survives_json_and_a_shell() {
        for (name, json, quoted) in [
            (&b"/srv/a"[..], r#""/srv/a""#, "/srv/a"),
            (b"/srv/it's", r#""/srv/it's""#, r#""/srv/it's""#),
            (b"/srv/\xff'\n", r#"{"bytes":"L3Nydi//Jwo="}"#, r"$'/srv/\377\'\012'"),
            (b"a\nb", r#""a\nb""#, r"$'a\012b'"),
            // What turns the direction of writing is a text in JSON, and would not be printed as it is.
            ("\u{202e}gnp".as_bytes(), "\"\u{202e}gnp\"", r"$'\342\200\256gnp'"),
        ] {
            let bytes = Bytes::from(OsStr::from_bytes(name));
            assert_eq!(serde_json::to_string(&bytes).expect("json"), json);
            assert_eq!(serde_json::from_str::<Bytes>(json).expect("json"), bytes);
            assert_eq!(bytes.quoted(), quoted);
            let echoed = std::process::Command::new("bash").args(["-c", &format!("printf %s {quoted}")]).output();
            assert_eq!(echoed.expect("bash").stdout, name);
        }
        assert_eq!(Bytes::from(OsStr::from_bytes(b"a\xffb")).shown(), "a\\xffb");
    }
}
